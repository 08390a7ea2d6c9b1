with
    followed as (
        select
            organisation_id,
            work_order_id,
            version_number,
            status,
            coalesce(completed_at, updated_at) as completed_at,
            lead(version_number) over by_order as next_version_number,
            lead(status) over by_order as next_status
        from {{ ref("int_work_order_versions") }}
        window by_order as (partition by organisation_id, work_order_id order by version_number asc nulls last)
    )
select
    followed.organisation_id,
    orders.site_id,
    orders.cut_id,
    followed.work_order_id,
    followed.version_number,
    followed.completed_at,
    {{ local_date("followed.completed_at", "orders.time_zone") }} as completed_on,
    followed.next_version_number is not null as is_undone
from followed
inner join
    {{ ref("int_work_orders") }} as orders
    on followed.organisation_id = orders.organisation_id
    and followed.work_order_id = orders.work_order_id
where followed.status = 'DONE' and followed.next_status is distinct from 'DONE'

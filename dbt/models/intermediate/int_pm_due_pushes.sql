with
    dated as (
        select
            versions.organisation_id,
            versions.work_order_id,
            versions.version_number,
            versions.updated_at,
            {{ deadline("versions.due_at", "versions.is_due_full_day", "orders.organisation_time_zone", "orders.time_zone") }}
            as deadline_at
        from {{ ref("int_work_order_versions") }} as versions
        inner join
            {{ ref("int_work_orders") }} as orders
            on versions.organisation_id = orders.organisation_id
            and versions.work_order_id = orders.work_order_id
        where versions.due_at is not null and orders.type = 'PREVENTIVE'
    ),
    compared as (
        select
            *,
            lag(deadline_at) over (
                partition by organisation_id, work_order_id order by version_number asc nulls last
            ) as previous_deadline_at
        from dated
    )
select organisation_id, work_order_id, count(*) as due_push_count, min(updated_at) as first_pushed_at, max(updated_at) as last_pushed_at
from compared
where deadline_at > previous_deadline_at
group by organisation_id, work_order_id

with
    dated as (
        select
            organisation_id,
            work_order_id,
            due_at,
            is_due_full_day,
            row_number() over (partition by organisation_id, work_order_id order by version_number asc nulls last) as due_rank
        from {{ ref("int_work_order_versions") }}
        where due_at is not null
    )
select
    orders.organisation_id,
    orders.work_order_id,
    {{ deadline("dated.due_at", "dated.is_due_full_day", "orders.organisation_time_zone", "orders.time_zone") }} as original_due_at,
    {{ due_date("dated.due_at", "dated.is_due_full_day", "orders.organisation_time_zone", "orders.time_zone") }} as original_due_on
from dated
inner join
    {{ ref("int_work_orders") }} as orders on dated.organisation_id = orders.organisation_id and dated.work_order_id = orders.work_order_id
where dated.due_rank = 1

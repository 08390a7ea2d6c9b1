with
    observed as (
        select
            organisation_id,
            work_order_id,
            updated_at,
            row_number() over (partition by organisation_id, work_order_id order by version_number desc nulls last) as closing_rank
        from {{ ref("int_work_order_versions") }}
        where is_closed and not was_closed
    )
select
    orders.organisation_id,
    orders.work_order_id,
    case
        when orders.is_completed and orders.completed_at is not null
        then orders.completed_at
        else coalesce(observed.updated_at, orders.updated_at)
    end as closed_at,
    case
        when orders.is_completed and orders.completed_at is not null
        then 'completed'
        when observed.work_order_id is not null
        then 'observed'
        else 'proxy'
    end as closed_basis
from {{ ref("int_work_orders") }} as orders
left join
    observed
    on orders.organisation_id = observed.organisation_id
    and orders.work_order_id = observed.work_order_id
    and observed.closing_rank = 1
where orders.is_closed

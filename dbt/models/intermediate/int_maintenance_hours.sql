with
    parents as (
        select children.organisation_id, children.work_order_id, parents.type as parent_type
        from {{ ref("int_work_orders") }} as children
        inner join
            {{ ref("int_work_orders") }} as parents
            on children.organisation_id = parents.organisation_id
            and children.parent_id = parents.work_order_id
    ),
    found as (
        select children.organisation_id, children.parent_id, count(*) as corrective_orders
        from {{ ref("int_work_orders") }} as children
        where children.type = 'REACTIVE' and children.parent_id is not null
        group by children.organisation_id, children.parent_id
    ),
    linked as (select organisation_id, count(parent_id) as links from {{ ref("int_work_orders") }} group by organisation_id)
select
    orders.organisation_id,
    orders.work_order_id,
    orders.site_id,
    orders.cut_id,
    orders.completed_on,
    orders.labour_seconds,
    coalesce(orders.type = 'REACTIVE', false) as is_reactive,
    coalesce(orders.type = 'PREVENTIVE', false) as is_preventive,
    coalesce(orders.type = 'PREVENTIVE', false)
    or (orders.estimated_seconds is not null and orders.start_at is not null and orders.part_count > 0) as is_planned,
    coalesce(orders.type = 'PREVENTIVE' or parents.parent_type = 'PREVENTIVE', false) as is_proactive,
    found.corrective_orders is not null as has_found_work,
    linked.links > 0 as has_parent_links
from {{ ref("int_work_orders") }} as orders
inner join linked on orders.organisation_id = linked.organisation_id
left join parents on orders.organisation_id = parents.organisation_id and orders.work_order_id = parents.work_order_id
left join found on orders.organisation_id = found.organisation_id and orders.work_order_id = found.parent_id
where orders.is_completed and orders.completed_on is not null

select
    children.organisation_id,
    children.id as work_order_id,
    children.version_number,
    children.position,
    children.part_id,
    children.quantity,
    children.unit_cost_cents
from {{ source("raw", "work_order_parts") }} as children
inner join
    {{ ref("stg_work_order_versions") }} as versions
    on children.organisation_id = versions.organisation_id
    and children.id = versions.work_order_id
    and children.version_number = versions.version_number

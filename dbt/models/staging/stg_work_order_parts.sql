select organisation_id, id as work_order_id, position, part_id, name as part_name, quantity, unit_cost_cents
from
    (
        {{ latest_children("work_order_parts", "stg_work_orders", "work_order_id", ["part_id", "name", "quantity", "unit_cost_cents"]) }}
    ) as latest

select organisation_id, id as work_order_id, position, label, value
from ({{ latest_children("work_order_custom_fields", "stg_work_orders", "work_order_id", ["label", "value"]) }}) as latest

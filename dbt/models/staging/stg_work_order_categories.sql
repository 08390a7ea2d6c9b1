select organisation_id, id as work_order_id, position, label as category_name
from ({{ latest_children("work_order_categories", "stg_work_orders", "work_order_id", ["label"]) }}) as latest

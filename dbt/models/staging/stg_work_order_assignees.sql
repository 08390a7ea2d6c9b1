select organisation_id, id as work_order_id, position, assignee_type, assignee_id
from ({{ latest_children("work_order_assignees", "stg_work_orders", "work_order_id", ["assignee_type", "assignee_id"]) }}) as latest

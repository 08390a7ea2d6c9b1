select organisation_id, id as rca_report_id, position, work_order_id
from ({{ latest_children("rca_report_work_orders", "stg_rca_reports", "rca_report_id", ["work_order_id"]) }}) as latest

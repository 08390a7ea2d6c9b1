select organisation_id, work_order_id, position, label, value from {{ ref("stg_work_order_custom_fields") }}

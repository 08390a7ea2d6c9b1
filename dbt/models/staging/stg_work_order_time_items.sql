select organisation_id, id as work_order_id, position, user_id, duration_seconds, amount_cents, description
from
    (
        {{
            latest_children(
                "work_order_time_items",
                "stg_work_orders",
                "work_order_id",
                ["user_id", "duration_seconds", "amount_cents", "description"],
            )
        }}
    ) as latest

select organisation_id, id as work_order_id, position, cost_type, user_id, quantity, amount_cents, description
from
    (
        {{
            latest_children(
                "work_order_costs",
                "stg_work_orders",
                "work_order_id",
                ["cost_type", "user_id", "quantity", "amount_cents", "description"],
            )
        }}
    ) as latest

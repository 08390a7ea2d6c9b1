{{ booked_cost("total_cost_cents") }}

{{ booked_cost("other_cost_cents") }}

{{ booked_cost("labour_cost_cents", covered="priced_labour_seconds", coverable="labour_seconds", unpriced="no_labour_rates") }}

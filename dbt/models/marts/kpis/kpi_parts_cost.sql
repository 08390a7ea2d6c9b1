{{ booked_cost("parts_cost_cents", covered="priced_part_lines", coverable="part_lines") }}

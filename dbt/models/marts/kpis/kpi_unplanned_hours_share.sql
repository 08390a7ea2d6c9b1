{{ labour_share("not is_planned", basis="'order_fields'") }}

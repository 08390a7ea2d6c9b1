{{ labour_share("is_planned", basis="'order_fields'") }}

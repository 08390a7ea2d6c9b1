{{ labour_share("is_reactive", basis="'time_items'") }}

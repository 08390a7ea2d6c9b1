{{ labour_share("is_preventive") }}

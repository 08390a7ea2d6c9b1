{{ labour_share("is_proactive", basis="case when linked_orders > 0 then 'parent_links' else 'preventive_only' end") }}

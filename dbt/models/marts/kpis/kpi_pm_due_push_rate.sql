{{ pm_rate("due_push_count > 0") }}

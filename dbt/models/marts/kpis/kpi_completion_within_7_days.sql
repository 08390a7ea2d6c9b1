{{ completed_within(days=7) }}

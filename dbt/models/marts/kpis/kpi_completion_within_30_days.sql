{{ completed_within(days=30) }}

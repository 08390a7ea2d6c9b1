{{ hours_between_events("period", "stops") }}

{{ hours_between_events("period", "failures") }}

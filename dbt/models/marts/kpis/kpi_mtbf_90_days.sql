{{ hours_between_events("90_days", "failures") }}

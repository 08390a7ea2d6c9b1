{{ hours_between_events("365_days", "failures") }}

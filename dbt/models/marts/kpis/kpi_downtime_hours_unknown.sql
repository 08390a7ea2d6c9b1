{{ downtime_hours("unknown_seconds") }}

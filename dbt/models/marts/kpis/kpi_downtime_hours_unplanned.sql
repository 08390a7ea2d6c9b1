{{ downtime_hours("unplanned_seconds") }}

{{ downtime_hours("planned_seconds") }}

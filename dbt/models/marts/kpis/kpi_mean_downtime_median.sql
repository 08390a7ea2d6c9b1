{{ downtime_quantile(0.5) }}

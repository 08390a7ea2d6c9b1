{{ downtime_quantile(0.9) }}

{{ pm_rate("status = 'CANCELED'") }}

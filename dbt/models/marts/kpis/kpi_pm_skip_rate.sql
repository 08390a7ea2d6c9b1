{{ pm_rate("status = 'SKIPPED'") }}

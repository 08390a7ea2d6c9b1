{{ pm_cohort("is_on_time", grace_seconds=0) }}

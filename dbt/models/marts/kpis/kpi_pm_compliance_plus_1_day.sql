{{ pm_cohort("is_within_1_day", grace_seconds=86400) }}

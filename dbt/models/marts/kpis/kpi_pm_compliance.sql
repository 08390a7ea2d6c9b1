{{ pm_cohort("is_on_time") }}

{{ pm_cohort("is_within_20_percent", "deadline_20_percent_at") }}

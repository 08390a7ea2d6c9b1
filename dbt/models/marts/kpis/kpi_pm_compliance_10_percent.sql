{{ pm_cohort("is_within_10_percent", "deadline_10_percent_at") }}

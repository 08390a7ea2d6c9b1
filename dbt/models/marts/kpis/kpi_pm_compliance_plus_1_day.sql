{{ pm_cohort("is_within_1_day", "deadline_1_day_at") }}

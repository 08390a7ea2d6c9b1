"""What the forty orders of `plant.py` come to in preventive work by further rules, in planned hours, requests and the data themselves."""

from tests.golden.expected import Expected

E = Expected
EXPECTED: list[Expected] = [
    # Due in March, Austin: 10 20 21 22 23 25 26, the cancelled one (26) included; 10 was skipped, 22 was seen due on 10 March, then on the
    # 25th.
    E("pm_skip_rate", "austin", "2026-03", 1 / 7, 7),
    E("pm_skip_rate", "1", "2026-03", 1 / 8, 8),  # and 24
    E("pm_cancel_rate", "austin", "2026-03", 1 / 7, 7),
    E("pm_cancel_rate", "porto", "2026-03", 0.0, 1),
    E("pm_due_push_rate", "austin", "2026-03", 1 / 7, 7),
    E("pm_due_push_rate", "2", "2026-03", None, 0, "nothing_due"),
    # No order says how it recurs: the rules of the interval judge none of the eleven.
    E("pm_compliance_10_percent", "austin", "2026-03", None, 0, "nothing_due", coverage_share=0.0),
    E("pm_compliance_20_percent", "1", "2026-03", None, 0, "nothing_due", coverage_share=0.0),
    E("pm_interval_compliance", "austin", "2026-03", None, 0, "no_interval_known", coverage_share=0.0),  # 20 21 22 23 27 29 were done
    # At the end of March 25 is open since its date on the 20th. 24 is open too: its day ends at that very midnight.
    E("pm_overdue_share", "austin", "2026-03", 1.0, 1, coverage_share=1.0),
    E("pm_overdue_share", "porto", "2026-03", 0.0, 1, coverage_share=1.0),
    E("pm_overdue_share", "1", "2026-03", 0.5, 2, coverage_share=1.0),
    E("pm_overdue_share", "1-unassigned", "2026-03", None, 0, "no_active_pms"),
    E("pm_overdue_share", "austin", "2026-04", 0.5, 2, coverage_share=1.0),  # 25 of 25 30; 28 starts in the middle of May
    E("pm_overdue_share", "austin", "2026-05", 1.0, 2, coverage_share=1.0),  # 30 since 2 May
    E("pm_overdue_share", "2", "2026-04", 1.0, 1, coverage_share=1.0),  # 61, since the end of 10 April
    E("pm_overdue_8_30_days_count", "austin", "2026-03", 1, 1),  # 25, 11.7 days
    E("pm_overdue_1_7_days_count", "austin", "2026-03", 0, 0),
    E("pm_overdue_31_90_days_count", "austin", "2026-04", 1, 1),  # 25, 41.7 days
    E("pm_overdue_1_7_days_count", "austin", "2026-05", 1, 1),  # 30, two days
    E("pm_overdue_over_90_days_count", "austin", "2026-05", 0, 0),
    E("pm_overdue_8_30_days_count", "2", "2026-04", 1, 1),  # 61, 20 days
    # Six PMs were done; the only child (53) is of a repair.
    E("pm_yield", "austin", "2026-03", 0.0, 6, basis="parent_links"),
    E("pm_yield", "porto", "2026-04", 0.0, 1, basis="parent_links"),  # 24
    E("pm_yield", "porto", "2026-03", None, 0, "nothing_completed"),
    # Logged on the nineteen done: half an hour on 20, two on 40, one and a half on 43.
    E("pm_hours_share", "austin", "2026-03", 0.125, 3, coverage_share=3 / 19),
    E("planned_hours_share", "austin", "2026-03", 0.125, 3, basis="order_fields", coverage_share=3 / 19),
    E("unplanned_hours_share", "austin", "2026-03", 0.875, 3, basis="order_fields", coverage_share=3 / 19),
    E("proactive_hours_share", "austin", "2026-03", 0.125, 3, basis="parent_links", coverage_share=3 / 19),
    E("pm_hours_share", "porto", "2026-03", None, 0, "no_labour_logged", coverage_share=0.0),
    E("pm_hours_share", "1-unassigned", "2026-03", None, 0, "nothing_completed"),
    # Of the 26 made in March 21 are DONE and two OPEN (13 25); 9 and 26 are cancelled, 10 is skipped.
    E("completion_rate", "austin", "2026-03", 21 / 23, 23),
    E("completion_rate", "porto", "2026-04", 1 / 3, 3),  # 5, of 5 55 56; 58 is on hold
    # Within 168 hours of creation: 1 2 4 6 8 23 27 29 40 41 42 43 50 52 53; 29 took exactly a week.
    E("completion_within_7_days", "austin", "2026-03", 15 / 24, 24),
    E("completion_within_7_days", "austin", "2026-04", None, 2, "cohort_not_mature"),
    # What the 26 say of themselves.
    E("quality_asset_share", "austin", "2026-03", 1 / 26, 26),  # 50
    E("quality_asset_share", "1-unassigned", "2026-03", 1.0, 1),  # 57 names one, though nobody ever saw it
    E("quality_type_share", "austin", "2026-03", 25 / 26, 26),  # not 8
    E("quality_due_share", "austin", "2026-03", 8 / 26, 26),  # 10 20 21 22 23 25 26 27
    E("quality_estimate_share", "austin", "2026-03", 3 / 26, 26),  # 1 7 20
    E("quality_priority_share", "austin", "2026-03", 0.0, 26),  # all say NONE
    E("quality_criticality_share", "austin", "2026-03", 0.0, 26),  # the mixer has none
    E("quality_time_log_share", "austin", "2026-03", 3 / 19, 19),
    E("quality_batch_closed_share", "austin", "2026-03", None, 0, "closer_not_known", coverage_share=0.0),
    E("quality_batch_closed_share", "1-unassigned", "2026-03", None, 0, "nothing_completed"),
    # Nobody asked for work.
    E("requests_created", "austin", "2026-03", 0, 0),
    E("request_rejection_rate", "austin", "2026-03", None, 0, "nothing_requested"),
    E("request_triage_hours", "austin", "2026-03", None, 0, "nothing_requested"),
    E("request_triage_hours_median", "austin", "2026-03", None, 0, "nothing_decided"),
]

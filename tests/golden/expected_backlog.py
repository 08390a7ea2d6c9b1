"""What the forty orders come to in the age, flow and readiness of the backlog, in re-openings and in schedules, worked out by hand.

The first organisation was read first on 1 March at 13:00, the second on 4 May; what needs to have been seen has no value before.
"""

from tests.golden.expected import Expected

E = Expected
EXPECTED: list[Expected] = [
    # opened: as created, less 6, which was done before it was made and never waited. closed: 1 2 4 7 8 9 10 11 20 21 22 23 26 27 29 40 41
    # 42 43 50 52 53; cancelled (9, 26) and skipped (10) ones leave too, 11 by the stamp of the version that shows it done.
    E("opened", "austin", "2026-03", 25, 25),
    E("closed", "austin", "2026-03", 22, 22),
    E("backlog_flow", "austin", "2026-03", 3, 47),  # from none to the three that stand at the end of March
    E("opened", "austin", "2026-04", 2, 2),  # 28 30
    E("closed", "austin", "2026-04", 1, 1),  # 14; that it left in March is restated
    E("backlog_flow", "austin", "2026-04", 1, 3),  # three and one are the four of April
    E("backlog_flow", "porto", "2026-03", 1, 5),  # 3 24 51 came, 3 and 51 went
    E("backlog_flow", "porto", "2026-04", 2, 6),  # 5 55 56 58 came, 5 and 24 went
    E("opened", "2", "2026-03", 2, 2),  # 60 61
    E("closed", "2", "2026-04", 1, 1),  # 60, half an hour into April
    # Age at the end of April, midnight at each site. Austin: 13 53 days and 17 hours, 25 60 days and 17 hours, 30 10 days and 17 hours; 28
    # is made ahead. Porto: 55, 56, 58 have 20, 19 and 18 days and 11 hours. Nobody's 57: 52 days and 17 hours.
    E("backlog_age_0_7_days_count", "1", "2026-04", 0, 0),
    E("backlog_age_8_30_days_count", "austin", "2026-04", 1, 1),
    E("backlog_age_8_30_days_count", "porto", "2026-04", 3, 3),
    E("backlog_age_31_90_days_count", "austin", "2026-04", 2, 2),
    E("backlog_age_31_90_days_count", "1", "2026-04", 3, 3),
    E("backlog_age_over_90_days_count", "1", "2026-04", 0, 0),
    E("backlog_age_median_days", "austin", "2026-04", 53 + 17 / 24, 3),
    E("backlog_age_median_days", "porto", "2026-04", 19 + 11 / 24, 3),
    E("backlog_age_p90_days", "austin", "2026-04", 53 + 17 / 24 + 0.8 * 7, 3),  # four fifths of the way from the second to the third
    # Imputed: April's eight have two estimates of their own (55, 58).
    E("backlog_imputed_share", "1", "2026-04", 6 / 8, 8, coverage_share=1.0),
    E("backlog_imputed_share", "porto", "2026-04", 1 / 3, 3, coverage_share=1.0),
    E("backlog_imputed_share", "2", "2026-03", None, 0, "no_estimates", coverage_share=0.0),
    # Ready at the end of April: 55 alone is open with an estimate of its own; 58 has one and is on hold.
    E("backlog_ready_count", "porto", "2026-04", 1, 1, coverage_share=2 / 3),
    E("backlog_ready_count", "austin", "2026-04", 0, 0, coverage_share=0.0),
    E("backlog_ready_count", "1", "2026-04", 1, 1, coverage_share=2 / 8),
    E("backlog_ready_hours", "porto", "2026-04", 2.0, 1, coverage_share=2 / 3),
    E("backlog_ready_crew_weeks", "porto", "2026-04", 2 / 20, 1, coverage_share=2 / 3),
    E("backlog_ready_crew_weeks", "1", "2026-04", 2 / 60, 1, coverage_share=2 / 8),
    E("backlog_ready_count", "austin", "2026-02-23/week", None, 0, "not_observed_yet", coverage_share=1 / 5),  # 20, of 20 21 22 25 26
    E("backlog_ready_count", "2", "2026-03", None, 0, "not_observed_yet", coverage_share=0.0),
    # Re-opened: of the completions of the week from 9 March (6 13 20 21 29 40 41 42 43), that of 13 did not stand. 14 was seen done twice,
    # never open in between: it has one completion, in April. March began before the first reading.
    E("reopen_rate", "austin", "2026-03-09/week", 1 / 9, 9),
    E("reopen_rate", "austin", "2026-04", 0.0, 1),
    E("reopen_rate", "porto", "2026-04", 0.0, 2),
    E("reopen_rate", "1-unassigned", "2026-04", None, 0, "nothing_completed"),
    E("reopen_rate", "austin", "2026-03", None, 0, "not_observed_yet"),
    # Schedules: 22 alone was known before its week, due on 10 March; done on the 20th. The others were first read when they were over.
    E("schedule_compliance", "austin", "2026-03-09/week", 0.0, 1),
    E("schedule_compliance", "austin", "2026-04", None, 0, "nothing_scheduled"),
    E("schedule_compliance", "austin", "2026-03", None, 0, "not_observed_yet"),
    E("schedule_compliance_hours", "austin", "2026-03-09/week", 0.0, 1, coverage_share=0.0),
    E("schedule_compliance_hours", "1", "2026-04", 0.0, 0),  # four weeks of sixty hours, none of them scheduled
    E("schedule_compliance_hours", "1-unassigned", "2026-04", None, 0, "no_crew_hours"),
]

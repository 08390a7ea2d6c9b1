"""The traps of preventive work, of requests and of closing in one go: each in an organisation of its own, by hand."""

from typing import Any

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")
MARCH, APRIL = "2026-03-01", "2026-04-01"
DUE, MONTH, RETIRED, ARCHIVED, TWO_ASSETS, EARLY, DAILY, MOVED, SILENT, OVERDUE, REQUESTS, BATCH, FOUND, WITHOUT_WORK, VENDOR = range(1, 16)
WEEKLY: dict[str, Any] = {"recurrence_type": "WEEKLY", "recurrence_interval": 1}
MONTHLY: dict[str, Any] = {"recurrence_type": "MONTHLY", "recurrence_interval": 1}


def begin(raw: RawBuilder, organisation_id: int) -> None:
    """An organisation with one site in UTC, read three times."""
    raw.organisation_id = organisation_id
    raw.site(str(organisation_id))
    for run, at in (("run-3", "2026-04-15 11:00"), ("run-2", "2026-03-20 12:00"), ("run-1", "2026-03-01 00:00")):
        raw.run(run, at)


def pm(raw: RawBuilder, order_id: int, due_at: str | None, completed_at: str | None = None, **columns: Any) -> None:
    about: dict[str, Any] = {"type": "PREVENTIVE", "due_at": due_at, "created_at": "2026-02-20 08:00"}
    raw.order(order_id, completed_at=completed_at, **about | columns)


def due(raw: RawBuilder) -> None:
    begin(raw, DUE)
    pm(raw, 1, "2026-03-10 12:00")
    pm(raw, 2, "2026-03-31 12:00", "2026-03-30 12:00")
    pm(raw, 3, "2026-04-20 12:00", "2026-04-01 12:00")
    begin(raw, MONTH)
    pm(raw, 1, "2026-03-31 12:00", "2026-04-02 12:00", **MONTHLY)
    begin(raw, WITHOUT_WORK)
    pm(raw, 1, "2026-03-10 12:00", "2026-03-09 12:00")
    for order_id, status in ((2, "SKIPPED"), (3, "CANCELED")):
        pm(raw, order_id, "2026-03-10 12:00", "2026-03-09 12:00", status=status)
    begin(raw, VENDOR)
    for order_id, (day, done) in enumerate(
        (("05", "04"), ("05", "04"), ("05", "04"), ("20", None), ("20", None), ("10", None), ("05", "06")), start=1
    ):
        pm(raw, order_id, f"2026-04-{day} 12:00", f"2026-04-{done} 12:00" if done else None)
    begin(raw, SILENT)
    pm(raw, 1, "2026-03-10 12:00", "2026-03-10 11:00")


def plans(raw: RawBuilder) -> None:
    begin(raw, RETIRED)
    raw.add("assets", 7, name="Press")
    raw.run_id = "run-2"
    raw.add("assets", 7, is_deleted=True, name="Press")
    raw.run_id = "run-1"
    pm(raw, 10, "2026-03-05 12:00", "2026-03-05 10:00", asset_id=7, next_id=11, **MONTHLY)
    pm(raw, 11, "2026-04-05 12:00", status="CANCELED", updated_at="2026-03-20 11:00", asset_id=7, previous_id=10, **MONTHLY)
    begin(raw, ARCHIVED)
    raw.add("maintenance_plans", 5, name="Oil", archived_at="2026-03-12 00:00", maintenance_plan_assets=[{"asset_id": 7}])
    pm(raw, 1, "2026-03-10 12:00", title="Oil", asset_id=7, **WEEKLY)
    begin(raw, TWO_ASSETS)
    raw.add("maintenance_plans", 5, name="Belts", maintenance_plan_assets=[{"asset_id": 7}, {"asset_id": 8}])
    pm(raw, 1, "2026-03-03 12:00", "2026-03-03 10:00", asset_id=7, **WEEKLY)
    pm(raw, 2, "2026-03-03 12:00", asset_id=8, **WEEKLY)
    pm(raw, 3, "2026-03-10 12:00", "2026-03-10 10:00", asset_id=7, previous_id=1, **WEEKLY)
    pm(raw, 4, "2026-03-10 12:00", "2026-03-10 10:00", asset_id=8, previous_id=2, **WEEKLY, recurrence_days=2)


def intervals(raw: RawBuilder) -> None:
    begin(raw, EARLY)
    pm(raw, 1, "2026-03-02 12:00", "2026-03-02 10:00", **WEEKLY)
    pm(raw, 2, "2026-03-09 12:00", "2026-03-06 10:00", previous_id=1, **WEEKLY)
    pm(raw, 3, "2026-03-16 12:00", "2026-03-13 10:00", previous_id=2, **WEEKLY)
    pm(raw, 4, "2026-03-20 12:00", status="SKIPPED", previous_id=3, **WEEKLY)
    pm(raw, 5, "2026-03-30 12:00", "2026-03-27 10:00", previous_id=4, **WEEKLY)
    begin(raw, DAILY)
    for order_id, done in ((1, "2026-03-02 08:00"), (2, "2026-03-03 15:59"), (3, "2026-03-05 00:00"), (4, "2026-03-05 16:00")):
        pm(raw, order_id, "2026-03-31 12:00", done, previous_id=order_id - 1 or None, recurrence_type="DAILY")


def moved(raw: RawBuilder) -> None:
    begin(raw, MOVED)
    pm(raw, 1, "2026-03-10 12:00", **MONTHLY)
    raw.run_id = "run-2"
    pm(raw, 1, "2026-04-12 12:00", updated_at="2026-03-09 12:00", **MONTHLY)
    raw.run_id = "run-3"
    pm(raw, 1, "2026-04-12 12:00", "2026-04-11 12:00", **MONTHLY)
    begin(raw, OVERDUE)
    for order_id, day in enumerate(("2026-04-10", "2026-03-30", "2026-02-20", "2026-01-01", "2026-04-20"), start=1):
        pm(raw, order_id, f"{day} 12:00", created_at="2025-12-01 08:00")
    pm(raw, 6, "2026-04-21 12:00", start_at="2026-04-18 12:00", created_at="2025-12-01 08:00")


def others(raw: RawBuilder) -> None:
    begin(raw, REQUESTS)
    raw.order(1, "2026-03-02 10:30")
    for request_id in (1, 2, 3, 4, 5):
        raw.add("work_requests", request_id, status="PENDING", created_at="2026-03-02 10:00", updated_at="2026-03-02 10:00")
    raw.add("work_requests", 6, status="REJECTED", created_at="2026-03-02 10:00", updated_at="2026-03-02 14:00")
    raw.run_id = "run-2"
    made: dict[str, Any] = {"created_at": "2026-03-02 10:00"}
    raw.add("work_requests", 1, status="DONE", work_order_id=1, updated_at="2026-03-09 10:00", **made)
    raw.add("work_requests", 2, status="APPROVED", updated_at="2026-03-02 12:00", **made)
    raw.add("work_requests", 3, status="DONE", updated_at="2026-03-09 10:00", **made)
    raw.add("work_requests", 4, status="REJECTED", updated_at="2026-03-02 13:00", **made)
    begin(raw, BATCH)
    for order_id, second in enumerate((0, 30, 60, 90, 120, 241), start=1):
        raw.order(order_id, "2026-03-02 08:00", f"2026-03-03 10:{second // 60:02}:{second % 60:02}", completer_id=3)
    raw.order(7, "2026-03-02 08:00", "2026-03-03 10:00:10")
    begin(raw, FOUND)
    pm(raw, 1, "2026-03-10 12:00", "2026-03-10 10:00")
    pm(raw, 2, "2026-03-10 12:00", "2026-03-10 10:00")
    raw.order(3, "2026-03-10 10:30", "2026-03-11 10:00", parent_id=1, work_order_time_items=[{"user_id": 7, "duration_seconds": 3600}])
    raw.order(4, "2026-03-10 10:30", "2026-03-11 10:00", work_order_time_items=[{"user_id": 7, "duration_seconds": 3600}])


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    for add in (due, plans, intervals, moved, others):
        add(raw)
    return build(raw, AS_OF)


def parts(marts: Marts, kpi: str, organisation_id: int, start: str = MARCH) -> tuple[float | None, float | None, str | None]:
    found = marts.kpi(kpi, organisation_id, start)
    return found.get("numerator"), found.get("denominator"), found.get("reason")


def test_what_is_open_past_its_date_is_a_miss_and_what_is_not_yet_due_does_not_count_even_if_done(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", DUE) == (1, 2, None)
    assert parts(marts, "pm_compliance", DUE, APRIL) == (None, None, "nothing_due")
    outcomes = marts.rows("select work_order_id, outcome from marts.fct_pm_occurrences where organisation_id = ? order by 1", DUE)
    assert outcomes == [(1, "missed"), (2, "on_time"), (3, "not_yet_due")]


def test_the_vendors_report_calls_punctual_what_is_not_due_yet_and_the_due_cohort_does_not(marts: Marts) -> None:
    found = marts.kpi("vendor_on_time_share", VENDOR, APRIL)
    assert (found["numerator"], found["denominator"], round(found["value"], 3)) == (5, 7, 0.714)
    assert parts(marts, "pm_compliance", VENDOR, APRIL) == (3, 5, None)


def test_a_pm_belongs_to_the_month_it_was_due_in_not_to_that_of_its_completion(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", MONTH) == (0, 1, None)
    assert parts(marts, "pm_compliance", MONTH, APRIL) == (None, None, "nothing_due")
    assert parts(marts, "completed", MONTH, APRIL) == (1, 1, None)


def test_two_days_late_in_a_month_of_31_days_is_within_a_tenth_of_the_interval_but_not_within_a_day(marts: Marts) -> None:
    assert parts(marts, "pm_compliance_plus_1_day", MONTH) == (0, 1, None)
    assert parts(marts, "pm_compliance_10_percent", MONTH) == (1, 1, None)
    assert parts(marts, "pm_compliance_20_percent", MONTH) == (1, 1, None)
    (row,) = marts.rows("select interval_days, days_late, outcome from marts.fct_pm_occurrences where organisation_id = ?", MONTH)
    assert row == (31.0, 2.0, "late")


def test_skipped_and_cancelled_orders_are_not_done_though_they_have_a_completion(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", WITHOUT_WORK) == (1, 2, None)
    assert parts(marts, "pm_skip_rate", WITHOUT_WORK) == (1, 3, None)
    assert parts(marts, "pm_cancel_rate", WITHOUT_WORK) == (1, 3, None)
    assert parts(marts, "completed", WITHOUT_WORK) == (1, 1, None)


def test_a_chain_that_is_cancelled_with_its_asset_lowers_no_compliance_and_keeps_its_past(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", RETIRED) == (1, 1, None)
    assert parts(marts, "pm_compliance", RETIRED, APRIL) == (None, None, "nothing_due")
    assert parts(marts, "pm_cancel_rate", RETIRED, APRIL) == (1, 1, None)
    assert parts(marts, "pm_overdue_share", RETIRED, APRIL) == (None, None, "no_active_pms")


def test_the_order_of_an_archived_plan_is_still_due(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", ARCHIVED) == (0, 1, None)
    assert parts(marts, "pm_overdue_share", ARCHIVED) == (1, 1, None)


def test_a_plan_of_two_assets_has_two_orders_and_two_chains(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", TWO_ASSETS) == (3, 4, None)
    found = marts.kpi("pm_interval_compliance", TWO_ASSETS, MARCH)
    assert (found["numerator"], found["denominator"], found["coverage_share"]) == (1, 1, pytest.approx(1 / 3))


def test_a_week_with_two_weekdays_has_an_interval_of_half_of_it(marts: Marts) -> None:
    sql = "select work_order_id, interval_days, predecessor_id from marts.fct_pm_occurrences where organisation_id = ? order by 1"
    assert marts.rows(sql, TWO_ASSETS) == [(1, 7.0, None), (2, 7.0, None), (3, 7.0, 1), (4, 3.5, None)]


def test_too_early_misses_the_interval_as_too_late_does_and_a_skipped_one_is_passed_over(marts: Marts) -> None:
    assert parts(marts, "pm_interval_compliance", EARLY) == (1, 3, None)  # 4 days, 7 days, and 14 past the skipped one
    assert parts(marts, "pm_compliance", EARLY) == (4, 5, None)


def test_a_daily_round_may_be_a_shift_of_eight_hours_early_or_late_and_no_more(marts: Marts) -> None:
    assert parts(marts, "pm_interval_compliance", DAILY) == (2, 3, None)


def test_a_moved_date_changes_neither_the_month_nor_the_verdict_and_is_counted(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", MOVED) == (0, 1, None)
    assert parts(marts, "pm_due_push_rate", MOVED) == (1, 1, None)
    assert parts(marts, "vendor_on_time_share", MOVED, APRIL) == (1, 1, None)
    sql = "select due_push_count, first_pushed_at, last_pushed_at, pushed_seconds from marts.fct_pm_occurrences where organisation_id = ?"
    (row,) = marts.rows(sql, MOVED)
    assert row == (1, utc("2026-03-09 12:00"), utc("2026-03-09 12:00"), 33 * 86_400)


def test_without_a_recurrence_the_interval_rules_have_no_value_and_no_coverage(marts: Marts) -> None:
    assert parts(marts, "pm_compliance", SILENT) == (1, 1, None)
    for kpi in ("pm_compliance_10_percent", "pm_compliance_20_percent"):
        assert marts.kpi(kpi, SILENT, MARCH) == {"n": 0, "coverage_share": 0.0, "reason": "nothing_due", "window_state": "closed"}
    assert parts(marts, "pm_interval_compliance", SILENT) == (None, None, "no_interval_known")
    (row,) = marts.rows("select is_within_10_percent, is_within_20_percent from marts.fct_pm_occurrences where organisation_id = ?", SILENT)
    assert row == (None, None)


def test_overdue_pms_lie_in_buckets_as_they_stood_and_unreleased_ones_are_not_active(marts: Marts) -> None:
    assert parts(marts, "pm_overdue_share", OVERDUE, APRIL) == (4, 5, None)
    assert parts(marts, "pm_overdue_share", OVERDUE) == (3, 5, None)  # at the end of March one more was not due yet
    buckets = [f"pm_overdue_{days}_days_count" for days in ("1_7", "8_30", "31_90", "over_90")]
    assert [parts(marts, kpi, OVERDUE, APRIL)[0] for kpi in buckets] == [1, 1, 1, 1]
    assert [parts(marts, kpi, OVERDUE)[0] for kpi in buckets] == [1, 0, 2, 0]


def test_a_request_was_decided_when_its_order_came_to_be_else_when_the_change_was_stamped(marts: Marts) -> None:
    sql = "select work_request_id, decided_basis, triage_seconds from marts.fct_work_requests where organisation_id = ? order by 1"
    assert marts.rows(sql, REQUESTS) == [
        (1, "order", 1800),
        (2, "observed", 7200),
        (3, None, None),  # done when it was first seen decided
        (4, "observed", 10_800),
        (5, None, None),  # it waits
        (6, "record", 14_400),
    ]
    found = marts.kpi("request_triage_hours", REQUESTS, MARCH)
    assert (found["numerator"], found["n"], found["coverage_share"]) == (9.5, 4, 0.8)
    assert parts(marts, "request_rejection_rate", REQUESTS) == (2, 5, None)
    assert parts(marts, "requests_created", REQUESTS) == (6, 1, None)


def test_five_closed_by_one_person_within_two_minutes_are_a_batch_and_a_sixth_later_is_not(marts: Marts) -> None:
    found = marts.kpi("quality_batch_closed_share", BATCH, MARCH)
    assert (found["numerator"], found["denominator"], found["coverage_share"]) == (5, 6, pytest.approx(6 / 7))
    assert parts(marts, "quality_batch_closed_share", DUE) == (None, None, "closer_not_known")


def test_what_a_pm_found_is_known_only_where_lists_name_parents(marts: Marts) -> None:
    assert parts(marts, "pm_yield", FOUND) == (1, 2, None)
    assert parts(marts, "pm_yield", DUE) == (None, None, "parent_not_in_list")
    assert marts.kpi("proactive_hours_share", FOUND, MARCH)["basis"] == "parent_links"
    assert parts(marts, "proactive_hours_share", FOUND) == (1, 2, None)

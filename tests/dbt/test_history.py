"""What only earlier versions tell: closings, original due dates, repairs in progress, and what was known when."""

from datetime import date

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")


def closings(raw: RawBuilder) -> None:
    """Organisation 1: orders that close, re-open and vanish over three runs."""
    raw.run("run-1", "2026-03-01 08:00")
    raw.order(1, "2026-02-01 08:00")
    raw.order(2, "2026-02-01 08:00", status="CANCELED", updated_at="2026-02-10 08:00")
    raw.order(3, "2026-02-01 08:00", "2026-02-05 08:00")
    raw.order(4, "2026-02-01 08:00")
    raw.order(6, "2026-02-01 08:00", status="SKIPPED", updated_at="2026-02-02 08:00")
    raw.order(7, "2026-02-01 08:00", status="CANCELED", updated_at="2026-02-03 08:00")
    raw.order(8, "2026-02-01 08:00", status="DONE", updated_at="2026-02-04 08:00")
    raw.run("run-2", "2026-03-10 08:00")
    raw.order(1, "2026-02-01 08:00", status="CANCELED", updated_at="2026-03-05 08:00")
    raw.order(3, "2026-02-01 08:00", updated_at="2026-03-06 08:00")
    raw.order(4, "2026-02-01 08:00", is_deleted=True)
    raw.order(6, "2026-02-01 08:00", status="OPEN", updated_at="2026-03-07 08:00")
    raw.order(7, "2026-02-01 08:00", status="CANCELED", updated_at="2026-03-08 08:00", title="Renamed after it was cancelled")
    raw.run("run-3", "2026-04-15 11:00")
    raw.order(1, "2026-02-01 08:00", status="CANCELED", updated_at="2026-04-01 08:00", title="Renamed after it was cancelled")
    raw.order(3, "2026-02-01 08:00", "2026-04-02 08:00")
    raw.order(4, "2026-02-01 08:00")
    raw.order(6, "2026-02-01 08:00", status="SKIPPED", updated_at="2026-04-03 08:00")
    raw.run("run-4", "2026-04-15 11:30", known_from=None)
    raw.order(1, "2026-02-01 08:00", updated_at="2026-04-15 11:00", title="Read by a run that never finished")
    raw.order(9, "2026-02-01 08:00", title="Read by a run that never finished")
    raw.run("run-5", "2026-04-15 13:00")
    raw.order(10, "2026-02-01 08:00", title="Read after known_at")


def due_dates(raw: RawBuilder) -> None:
    """Organisation 2: preventive orders whose due dates move, are missed, skipped or cancelled."""
    pm = {"type": "PREVENTIVE", "created_at": "2026-02-20"}
    raw.run("run-1", "2026-03-01 08:00")
    raw.order(1, due_at="2026-03-10 12:00", **pm)
    raw.order(2, due_at="2026-03-10 12:00", **pm)
    raw.order(3, due_at="2026-03-10 12:00", **pm)
    raw.order(4, due_at="2026-03-10 12:00", **pm)
    raw.order(5, **pm)
    raw.order(6, due_at="2026-03-31 12:00", **pm)
    raw.order(7, due_at="2026-04-15 09:00", **pm)
    raw.order(8, due_at="2026-04-20 12:00", **pm)
    raw.order(11, due_at="2026-03-10 12:00", created_at="2026-02-20")
    raw.run("run-2", "2026-04-15 11:00")
    raw.order(1, completed_at="2026-03-20 12:00", due_at="2026-03-25 12:00", **pm)  # moved: late by the original deadline
    raw.order(2, completed_at="2026-03-11 12:00", due_at="2026-03-10 12:00", **pm)  # a day late to the second
    raw.order(3, completed_at="2026-03-10 12:00", due_at="2026-03-10 12:00", **pm)  # at the deadline
    raw.order(4, status="CANCELED", due_at="2026-03-10 12:00", **pm)
    raw.order(6, status="SKIPPED", due_at="2026-03-31 12:00", **pm)
    raw.order(8, completed_at="2026-04-14 12:00", due_at="2026-04-20 12:00", **pm)  # done, but not due yet: not in the cohort


def repairs(raw: RawBuilder) -> None:
    """Organisation 3: reactive orders read every half hour, and one gap of six hours."""
    raw.run("r-0", "2026-03-02 08:00")
    for order in (1, 2, 3, 4, 5):
        raw.order(order, "2026-03-02 07:00", status="IN_PROGRESS" if order == 4 else "OPEN")
    raw.run("r-1", "2026-03-02 08:30")
    raw.order(1, "2026-03-02 07:00", status="IN_PROGRESS", updated_at="2026-03-02 08:10")
    raw.order(2, "2026-03-02 07:00", status="IN_PROGRESS", updated_at="2026-03-02 08:10")
    raw.order(5, "2026-03-02 07:00", status="IN_PROGRESS", updated_at="2026-03-02 08:20")
    raw.run("r-2", "2026-03-02 09:00")
    raw.order(1, "2026-03-02 07:00", status="ON_HOLD", updated_at="2026-03-02 08:40")
    raw.order(3, "2026-03-02 07:00", "2026-03-02 08:50")  # straight to done: nobody saw it in progress
    raw.run("r-3", "2026-03-02 09:30")
    raw.order(1, "2026-03-02 07:00", status="IN_PROGRESS", updated_at="2026-03-02 09:10")
    raw.reading("2026-03-02 13:30", kind="reconcile")  # none of these three would have seen every change
    raw.reading("2026-03-02 13:31", endpoint="assets")
    raw.run("r-3-failed", "2026-03-02 13:32", reading="failed")
    raw.run("r-4", "2026-03-02 15:30")
    raw.order(2, "2026-03-02 07:00", "2026-03-02 14:00")  # changed 4.5 h after the reading before: not pinned
    raw.run("r-5", "2026-03-02 16:00")
    raw.order(1, "2026-03-02 07:00", "2026-03-02 15:40", updated_at="2026-03-02 15:50")
    raw.order(4, "2026-03-02 07:00", "2026-03-02 15:45")
    raw.order(5, "2026-03-02 07:00", "2026-03-02 15:45")
    raw.order(6, "2026-03-02 07:00", "2026-03-02 12:00")
    raw.order(7, "2026-03-02 07:00", "2026-03-02 11:00", type="PREVENTIVE")
    for report, seconds, orders in [(1, 3600, [5, 6]), (2, 600, [5]), (3, 7200, [7, 4]), (4, 0, [2])]:
        raw.add("rca_reports", report, repair_seconds=seconds, rca_report_work_orders=[{"work_order_id": one} for one in orders])
    raw.add("rca_reports", 5, repair_seconds=9000, archived_at="2026-03-03", rca_report_work_orders=[{"work_order_id": 2}])


def lives(raw: RawBuilder) -> None:
    """Organisation 4: an id that a second order took over."""
    raw.run("run-1", "2026-03-01 08:00")
    raw.order(1, "2026-02-01 08:00", type="PREVENTIVE", due_at="2026-02-05 08:00")
    raw.run("run-2", "2026-03-10 08:00")
    raw.order(1, "2026-03-05 08:00", cause="new_life", type="PREVENTIVE", due_at="2026-03-08 08:00", status="CANCELED")


def nothing_yet(raw: RawBuilder) -> None:
    """Organisation 5: no run has finished."""
    raw.run("run-1", "2026-03-01 08:00", known_from=None)
    raw.order(1, "2026-02-01 08:00")


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    for organisation_id, fill in enumerate((closings, due_dates, repairs, lives, nothing_yet), start=1):
        raw.organisation_id = organisation_id
        raw.site(str(organisation_id))
        fill(raw)
    return build(raw, AS_OF)


def test_an_order_closes_when_it_was_completed_or_first_seen_closed_or_last_touched(marts: Marts) -> None:
    columns = "work_order_id, status, closed_at, closed_basis, version_number"
    assert marts.rows(f"select {columns} from marts.fct_work_orders where organisation_id = 1 order by work_order_id") == [
        (1, "CANCELED", utc("2026-03-05 08:00"), "observed", 3),
        (2, "CANCELED", utc("2026-02-10 08:00"), "proxy", 1),
        (3, "DONE", utc("2026-04-02 08:00"), "completed", 3),
        (4, "OPEN", None, None, 3),
        (6, "SKIPPED", utc("2026-04-03 08:00"), "observed", 3),
        (7, "CANCELED", utc("2026-03-08 08:00"), "proxy", 2),
        (8, "DONE", utc("2026-02-04 08:00"), "proxy", 1),
    ]


def test_only_runs_known_at_the_time_count(marts: Marts) -> None:
    assert marts.rows("select count(*) from marts.fct_work_orders where work_order_id in (9, 10) and organisation_id = 1") == [(0,)]


def test_c9_a_re_opened_order_was_in_the_backlog_all_along(marts: Marts) -> None:
    assert marts.values("backlog_count", 1) == {"2026-02-01": 5.0, "2026-03-01": 3.0, "2026-04-01": 1.0}


def test_c9_pm_compliance_judges_by_the_first_deadline_in_the_month_it_lay_in(marts: Marts) -> None:
    coverage = {"coverage_share": 7 / 8, "window_state": "closed"}
    strict = {"value": 0.25, "numerator": 1.0, "denominator": 4.0, "n": 4}
    assert marts.kpi("pm_compliance", 2, "2026-03-01") == coverage | strict
    assert marts.kpi("pm_compliance_plus_1_day", 2, "2026-03-01") == coverage | strict | {"value": 0.5, "numerator": 2.0}


def test_a_deadline_counts_once_it_has_passed_and_with_grace_a_day_later(marts: Marts) -> None:
    assert marts.values("pm_compliance", 2) == {"2026-02-01": "nothing_due", "2026-03-01": 0.25, "2026-04-01": 0.0}
    assert marts.values("pm_compliance_plus_1_day", 2)["2026-04-01"] == "nothing_due"


def test_every_preventive_order_has_one_outcome(marts: Marts) -> None:
    columns = "work_order_id, outcome, original_due_on, round(days_late, 3)"
    assert marts.rows(f"select {columns} from marts.fct_pm_occurrences where organisation_id = 2 order by work_order_id") == [
        (1, "late", date(2026, 3, 10), 10.0),
        (2, "late", date(2026, 3, 10), 1.0),
        (3, "on_time", date(2026, 3, 10), None),
        (4, "canceled", date(2026, 3, 10), None),
        (6, "skipped", date(2026, 3, 31), None),
        (7, "missed", date(2026, 4, 15), 0.125),
        (8, "not_yet_due", date(2026, 4, 20), None),
    ]


def test_the_vendors_figure_takes_the_present_due_date_and_counts_what_is_not_due_yet_as_on_time(marts: Marts) -> None:
    assert marts.kpi("vendor_on_time_share", 2, "2026-03-01") | {"value": None} == {
        "value": None,
        "numerator": 2.0,  # 1 (moved to the 25th) and 3
        "denominator": 4.0,  # 1, 2, 3 and the reactive 11; neither the skipped nor the cancelled one
        "n": 4,
        "window_state": "closed",
    }
    assert marts.values("vendor_on_time_share", 2)["2026-04-01"] == 0.5  # 8 of 7 and 8


def test_a_repair_is_timed_by_its_report_or_by_progress_that_was_seen_change_by_change(marts: Marts) -> None:
    columns = "work_order_id, repair_seconds, repair_basis"
    assert marts.rows(f"select {columns} from marts.fct_work_orders where organisation_id = 3 order by work_order_id") == [
        (1, 30 * 60 + 6 * 3600 + 30 * 60, "status"),  # 8:10 to 8:40, then 9:10 to 15:40: the hold is out
        (2, None, None),  # changed in the gap; its reports are empty or archived
        (3, None, None),  # never seen in progress
        (4, None, None),  # first seen in progress; its report counts for the order completed first
        (5, 600, "rca"),  # of two reports, the longer one counts for order 6, completed before it
        (6, 3600, "rca"),
        (7, None, None),  # not reactive
    ]


def test_mttr_is_a_mean_within_the_basis_that_covers_most(marts: Marts) -> None:
    assert marts.kpi("mttr", 3, "2026-03-01") == {
        "value": 4200 / 3600 / 2,
        "numerator": 4200 / 3600,
        "denominator": 2.0,
        "n": 2,
        "coverage_share": 2 / 6,
        "basis": "rca",
        "window_state": "closed",
    }
    assert marts.kpi("mttr", 1, "2026-04-01") == {"reason": "no_repair_evidence", "n": 0, "coverage_share": 0.0, "window_state": "open"}


def test_a_second_life_of_an_id_inherits_nothing(marts: Marts) -> None:
    columns = "created_on, original_due_on, closed_basis"
    rows = marts.rows(f"select {columns} from marts.fct_work_orders where organisation_id = 4")
    assert rows == [(date(2026, 3, 5), date(2026, 3, 8), "proxy")]


def test_before_the_first_finished_run_every_kpi_says_so(marts: Marts) -> None:
    rows = marts.rows(
        "select distinct scope_type, period_grain, period_start_on, value, n, reason, data_to from marts.kpis where organisation_id = 5"
    )
    starts = {"month": date(2026, 4, 1), "quarter": date(2026, 4, 1), "week": date(2026, 4, 13), "year": date(2026, 1, 1)}
    assert sorted(rows) == [
        (scope, grain, start, None, 0, "not_observed_yet", None) for scope in ("organisation", "site") for grain, start in starts.items()
    ]


def test_data_to_is_the_last_good_reading_of_work_orders(marts: Marts) -> None:
    assert marts.rows("select distinct data_to from marts.kpis where organisation_id = 1") == [(utc("2026-04-15 11:00"),)]

"""What stood in the schedule of a week when it was frozen, what was done of it, and what did not stay done."""

from typing import Any

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
WEEK = "2026-03-09"  # a Monday; frozen on Friday 6 March at 18:00 in Chicago, which is midnight in UTC
OLD: dict[str, Any] = {"created_at": "2026-02-01 08:00", "estimated_seconds": 3600}


def weeks(raw: RawBuilder) -> None:
    """Orders of the week from 9 March, read on Thursday, right before and right after its freeze, and when it is over."""
    raw.site(zone="America/Chicago", crew_hours_per_week=10.0)
    due, later = "2026-03-11 17:00", "2026-03-18 17:00"
    raw.run("run-1", "2026-03-05 00:00")
    for order in (1, 2, 3, 4, 5, 6, 7, 9, 10):
        raw.order(order, due_at=due, **OLD)
    raw.order(8, due_at=later, **OLD)
    raw.order(11, start_at="2026-03-10 12:00", **OLD)
    raw.order(12, start_at="2026-03-10 12:00", due_at=later, **OLD)
    raw.run("run-2", "2026-03-07 00:00")  # 18:00 in Chicago: in time
    raw.order(2, due_at=later, updated_at="2026-03-06 09:00", **OLD)  # pushed before the freeze: out
    raw.order(8, due_at=due, updated_at="2026-03-06 09:00", **OLD)  # pulled in before it: in
    raw.order(9, completed_at="2026-03-06 12:00", due_at=due, **OLD)  # done before it: out
    raw.run("run-3", "2026-03-07 00:01")
    raw.order(3, due_at=later, updated_at="2026-03-07 00:00", **OLD)  # pushed after it: in, and not done
    raw.order(13, due_at=due, **OLD | {"created_at": "2026-03-07 00:00"})  # made after it: it broke in
    raw.run("run-4", "2026-03-20 12:00")
    raw.order(1, completed_at="2026-03-15 23:00", due_at=due, **OLD)  # Sunday in Chicago
    raw.order(4, completed_at="2026-03-16 06:00", due_at=due, **OLD)  # Monday 01:00 there: too late
    raw.order(5, completed_at="2026-03-08 12:00", due_at=due, **OLD)  # the Sunday before: not as scheduled
    raw.order(6, status="CANCELED", due_at=due, updated_at="2026-03-10 12:00", **OLD)  # out
    raw.order(7, status="SKIPPED", due_at=due, updated_at="2026-03-10 12:00", **OLD)  # a miss
    raw.order(8, OLD["created_at"], "2026-03-11 12:00", due_at=due, estimated_seconds=7200)
    raw.order(10, due_at=due, is_deleted=True, **OLD)
    raw.order(11, completed_at="2026-03-10 18:00", start_at="2026-03-10 12:00", **OLD)
    raw.order(13, completed_at="2026-03-10 18:00", due_at=due, **OLD | {"created_at": "2026-03-07 00:00"})


def reopenings(raw: RawBuilder) -> None:
    """Organisation 2: completions that stand, that were undone, and one that was never seen to be undone."""
    raw.site("2")
    raw.run("run-1", "2026-02-20 08:00")
    raw.order(1, "2026-02-01", "2026-02-19 08:00")
    raw.order(2, "2026-02-01")
    raw.order(3, "2026-02-01")
    raw.run("run-2", "2026-03-05 08:00")
    raw.order(2, "2026-02-01", "2026-03-03 08:00")
    raw.order(3, "2026-02-01", "2026-03-03 08:00")
    raw.order(4, "2026-03-01", "2026-03-04 08:00")
    raw.run("run-3", "2026-03-08 08:00")
    raw.order(1, "2026-02-01", status="OPEN", updated_at="2026-03-07 08:00")
    raw.order(2, "2026-02-01", status="IN_PROGRESS", updated_at="2026-03-07 08:00")
    raw.order(4, "2026-03-01", "2026-03-04 08:00", title="Renamed")
    raw.run("run-4", "2026-03-20 08:00")
    raw.order(2, "2026-02-01", "2026-03-19 08:00")
    raw.order(3, "2026-02-01", "2026-03-18 08:00")  # perhaps re-opened in between; nobody saw it


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    weeks(raw)
    raw.organisation_id = 2
    reopenings(raw)
    return build(raw, utc("2026-03-20 12:00"))


def test_the_schedule_is_what_was_known_on_friday_at_six_in_the_evening(marts: Marts) -> None:
    query = "select work_order_id, is_done_in_week from intermediate.int_schedules where week_start_on = ? order by 1"
    assert marts.rows(query, WEEK) == [(1, True), (3, False), (4, False), (5, False), (7, False), (8, True), (11, True)]


def test_schedule_compliance_counts_orders_and_hours(marts: Marts) -> None:
    closed = {"window_state": "closed"}
    assert marts.kpi("schedule_compliance", 1, WEEK, "week") == closed | {"value": 3 / 7, "numerator": 3.0, "denominator": 7.0, "n": 7}
    hours = {"value": 0.4, "numerator": 4.0, "denominator": 10.0, "n": 7, "coverage_share": 1.0}
    assert marts.kpi("schedule_compliance_hours", 1, WEEK, "week") == closed | hours


def test_a_week_that_was_frozen_before_anything_was_known_has_no_value(marts: Marts) -> None:
    assert marts.values("schedule_compliance", 1, "week") == {
        **dict.fromkeys(["2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23", "2026-03-02"], "not_observed_yet"),
        WEEK: 3 / 7,
        "2026-03-16": "nothing_scheduled",  # not over yet
    }
    assert marts.values("schedule_compliance", 1, "month")["2026-03-01"] == "not_observed_yet"  # its first week lacks its freeze


def test_a_completion_counts_as_re_opened_in_the_period_it_was_made(marts: Marts) -> None:
    weeks = marts.values("reopen_rate", 2, "week")
    assert weeks["2026-02-16"] == "not_observed_yet"
    assert weeks["2026-03-02"] == 0.5  # 2 was undone; 4 stands; what 3 says now is another day
    assert weeks["2026-03-09"] == "nothing_completed"
    assert weeks["2026-03-16"] == 0.0

"""The oracle's own reading of preventive work, requests and batches, against histories worked out by hand."""

from datetime import date
from typing import Any

import pytest

from simulator.history import Version
from simulator.truth import KpiRow
from simulator.truth_pm import months_before, recurrence_seconds
from simulator.truth_quality import in_batches
from tests.test_truth import done, order, row, value, version

DAY = 86_400
WEEKLY = {"type": "WEEKLY", "interval": 1, "days": ["MONDAY"]}


def pm(record_id: int, due: str, completed: str | None = None, **fields: Any) -> Version:
    about: dict[str, Any] = {"type": "PREVENTIVE", "dueDate": due, "dueDateIsFullDay": False, "recurrenceInfo": WEEKLY, **fields}
    return done(record_id, completed, **about) if completed else order(record_id, **about)


def parts(found: KpiRow) -> tuple[float | None, float | None]:
    return found.numerator, found.denominator


@pytest.mark.parametrize(
    ("info", "seconds"),
    [
        ({"type": "DAILY"}, DAY),
        ({"type": "WEEKLY", "interval": 2, "days": ["MONDAY", "FRIDAY"]}, 7 * DAY),
        ({"type": "MONTHLY", "interval": 1, "day": 31}, 31 * DAY),  # from the 28th of February
        ({"type": "YEARLY", "interval": 1}, 365 * DAY),
        ({"type": "PERIODICALLY", "interval": 7200}, 7200),
        ({"type": "WEEKLY", "interval": 0}, None),
        ({"type": "MONTHLY", "interval": 10**9}, None),
        ({"type": "FORTNIGHTLY", "interval": 1}, None),
        (None, None),
    ],
)
def test_an_interval_is_that_of_the_recurrence(info: dict[str, Any] | None, seconds: int | None) -> None:
    assert recurrence_seconds({"recurrenceInfo": info}, date(2026, 3, 31)) == seconds


def test_a_month_before_the_last_of_march_is_the_last_of_february() -> None:
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2026, 3, 31), 13) == date(2025, 2, 28)


def test_a_tenth_of_a_week_is_sixteen_hours_and_48_minutes() -> None:
    within = pm(1, "2026-03-09T12:00Z", "2026-03-10T04:48Z")
    beyond = pm(2, "2026-03-09T12:00Z", "2026-03-10T04:49Z")
    assert parts(row("pm_compliance_10_percent", [within, beyond])) == (1, 2)
    assert parts(row("pm_compliance_20_percent", [within, beyond])) == (2, 2)


def test_a_push_is_seen_only_if_a_reading_saw_the_date_before_it() -> None:
    moved = [pm(1, "2026-03-09T12:00Z"), pm(1, "2026-03-16T12:00Z", updatedAt="2026-03-05T08:00Z")]
    moved[1] = Version(moved[1].organisation_id, "work_orders", 1, moved[1].at.replace(day=5), moved[1].record)
    assert value("pm_due_push_rate", moved, syncs=["2026-03-03T00:00Z", "2026-06-15T00:00Z"]) == 1
    assert value("pm_due_push_rate", moved, syncs=["2026-06-15T00:00Z"]) == 0


def test_early_is_a_miss_of_the_interval() -> None:
    first, early = pm(1, "2026-03-02T12:00Z", "2026-03-02T12:00Z"), pm(2, "2026-03-09T12:00Z", "2026-03-06T12:00Z", previousId=1)
    assert parts(row("pm_interval_compliance", [first, early])) == (0, 1)


def test_an_overdue_pm_is_in_the_bucket_of_its_days_at_the_end_of_the_period() -> None:
    late = pm(1, "2026-03-24T00:00Z")  # 8 days before the end of March, 68 before that of May
    assert value("pm_overdue_8_30_days_count", [late]) == 1
    assert value("pm_overdue_1_7_days_count", [late]) == 0
    assert value("pm_overdue_31_90_days_count", [late], "2026-05-01") == 1


def test_a_request_that_was_first_seen_rejected_was_decided_at_its_last_change() -> None:
    request = version(
        "work_requests", 5, "2026-03-02T14:00Z", requestStatus="REJECTED", createdAt="2026-03-02T10:00Z", updatedAt="2026-03-02T14:00Z"
    )
    assert value("request_triage_hours", [order(), request]) == 4
    assert value("request_rejection_rate", [order(), request]) == 1


def test_a_batch_is_five_within_two_minutes() -> None:
    second = 1_000_000
    assert in_batches([(n * 30 * second, n) for n in range(5)]) == set(range(5))
    assert in_batches([(n * 31 * second, n) for n in range(5)]) == set()
    assert in_batches([(n * 30 * second, n) for n in range(4)]) == set()

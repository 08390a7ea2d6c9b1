"""What is told of a work order's life by comparing the versions of the log."""

from datetime import datetime
from typing import Any

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
CREATED = "2026-02-01 08:00"


def lives(raw: RawBuilder) -> None:
    """Orders read daily at six; each run says what the plant did since the one before."""
    raw.site(zone="America/Chicago")
    raw.run("run-1", "2026-03-01 06:00")
    for order in (1, 2, 3, 4, 5, 6):
        raw.order(order, CREATED, due_at="2026-03-07 06:00", work_order_assignees=[{"assignee_type": "TEAM", "assignee_id": 7}])
    raw.order(7, CREATED, "2026-02-03 08:00")
    raw.order(8, CREATED, status="CANCELED", updated_at="2026-02-04 08:00")
    raw.run("run-2", "2026-03-02 06:00")
    same: dict[str, Any] = {"due_at": "2026-03-07 06:00", "work_order_assignees": [{"assignee_type": "TEAM", "assignee_id": 7}]}
    raw.order(1, CREATED, status="IN_PROGRESS", updated_at="2026-03-01 09:00", **same)
    raw.order(2, CREATED, updated_at="2026-03-01 09:00", **same | {"due_at": "2026-03-09 05:00"})  # over the night clocks change
    raw.order(3, CREATED, cause="shape", status="DONE", updated_at="2026-02-20 09:00", priority="HIGH")
    raw.order(4, CREATED, is_deleted=True, status="OPEN", due_at=same["due_at"], work_order_assignees=[])
    raw.reading("2026-03-02 06:00", kind="reconcile")
    raw.run("run-3", "2026-03-03 06:00")
    raw.order(1, CREATED, status="ON_HOLD", updated_at="2026-03-02 09:00", **same)
    raw.order(2, CREATED, updated_at="2026-03-02 09:00", **same | {"due_at": "2026-03-06 06:00"})
    raw.order(4, CREATED, cause="undelete", updated_at="2026-03-02 10:00", **same)
    raw.order(5, CREATED, is_deleted=True, **same)
    raw.reading("2026-03-03 06:00", kind="reconcile")
    raw.run("run-4", "2026-03-04 06:00")
    raw.order(1, CREATED, status="OPEN", updated_at="2026-03-03 09:00", **same)
    raw.order(3, CREATED, status="OPEN", updated_at="2026-03-03 09:00", priority="HIGH")
    raw.order(5, "2026-03-03 10:00", cause="new_life")
    team: dict[str, Any] = {
        "work_order_assignees": [{"assignee_type": "USER", "assignee_id": 9}, {"assignee_type": "TEAM", "assignee_id": 7}]
    }
    raw.order(6, CREATED, updated_at="2026-02-27 09:00", due_at="2026-03-07 06:00", **team)  # its stamp did not move
    raw.order(7, CREATED, "2026-03-03 11:00")
    raw.run("run-5", "2026-03-05 06:00")
    raw.order(1, CREATED, "2026-03-04 15:30", **same)
    raw.order(6, CREATED, status="SKIPPED", updated_at="2026-03-04 09:00", **team)
    raw.run("run-6", "2026-03-06 06:00", known_from=None)
    raw.order(1, CREATED, status="OPEN", updated_at="2026-03-05 15:30", **same)


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    lives(raw)
    return build(raw, utc("2026-03-05 12:00"))


def events(marts: Marts, order: int, columns: str = "event, occurred_at, occurred_after, occurred_by") -> list[tuple[Any, ...]]:
    """The events of an order in their order, the creation by which each of them begins left out."""
    return marts.rows(f"select {columns} from marts.fct_work_order_events where work_order_id = ? order by event_number offset 1", order)


def between(after: str, by: str) -> tuple[datetime | None, ...]:
    return (None, utc(after), utc(by))


def test_every_life_begins_with_its_creation_which_the_record_dates(marts: Marts) -> None:
    columns = "work_order_id, life_number, occurred_at, occurred_after, how_learnt, to_version_number"
    born = marts.rows(f"select {columns} from marts.fct_work_order_events where event = 'created' order by work_order_id, event_number")
    assert born == [
        *[(order, 1, utc(CREATED), None, "record", 1) for order in (1, 2, 3, 4, 5)],
        (5, 2, utc("2026-03-03 10:00"), None, "record", 3),
        *[(order, 1, utc(CREATED), None, "record", 1) for order in (6, 7, 8)],
    ]


def test_a_status_changes_between_the_reading_that_saw_the_old_one_and_the_run_that_saw_the_new(marts: Marts) -> None:
    assert events(marts, 1) == [
        ("status_changed", *between("2026-03-01 06:00", "2026-03-02 06:00")),
        ("held", *between("2026-03-02 06:00", "2026-03-03 06:00")),
        ("resumed", *between("2026-03-03 06:00", "2026-03-04 06:00")),
        ("completed", utc("2026-03-04 15:30"), None, None),
    ]
    assert events(marts, 1, "from_value, to_value, from_version_number, to_version_number, run_id, how_learnt") == [
        ("OPEN", "IN_PROGRESS", 1, 2, "run-2", "observed"),
        ("IN_PROGRESS", "ON_HOLD", 2, 3, "run-3", "observed"),
        ("ON_HOLD", "OPEN", 3, 4, "run-4", "observed"),
        ("OPEN", "DONE", 4, 5, "run-5", "record"),
    ]


def test_a_due_date_is_moved_by_days_of_the_calendar_where_it_was_written(marts: Marts) -> None:
    assert events(marts, 2, "event, moved_days, moved_seconds, from_at, to_at") == [
        ("due_date_pushed", 2, 47 * 3600, utc("2026-03-07 06:00"), utc("2026-03-09 05:00")),
        ("due_date_pulled", -3, -71 * 3600, utc("2026-03-09 05:00"), utc("2026-03-06 06:00")),
    ]


def test_what_only_our_way_of_reading_changed_is_no_event(marts: Marts) -> None:
    assert events(marts, 3) == [("reopened", *between("2026-03-03 06:00", "2026-03-04 06:00"))]


def test_a_deleted_open_order_was_there_at_the_comparison_before(marts: Marts) -> None:
    assert events(marts, 4) == [
        ("deleted", *between("2026-03-01 06:00", "2026-03-02 06:00")),  # never compared before: since it was read
        ("undeleted", *between("2026-03-02 06:00", "2026-03-03 06:00")),
    ]
    assert events(marts, 5)[0] == ("deleted", *between("2026-03-02 06:00", "2026-03-03 06:00"))


def test_another_record_under_the_same_id_inherits_nothing(marts: Marts) -> None:
    assert events(marts, 5, "event, life_number, from_version_number") == [("deleted", 1, 1), ("created", 2, None)]


def test_a_change_that_moved_no_stamp_may_be_as_old_as_the_version_before(marts: Marts) -> None:
    assert events(marts, 6) == [
        ("reassigned", *between("2026-03-01 06:00", "2026-03-04 06:00")),
        ("skipped", *between("2026-03-04 06:00", "2026-03-05 06:00")),
        ("due_date_removed", *between("2026-03-04 06:00", "2026-03-05 06:00")),
    ]
    assert events(marts, 6, "from_value, to_value")[0] == ("TEAM 7", "TEAM 7, USER 9")


def test_a_completion_that_moved_was_perhaps_a_re_opening_that_nobody_saw(marts: Marts) -> None:
    assert events(marts, 7, "event, occurred_at, from_at, to_at") == [
        ("completed", utc("2026-02-03 08:00"), None, None),
        ("completion_moved", None, utc("2026-02-03 08:00"), utc("2026-03-03 11:00")),
    ]


def test_an_order_first_seen_cancelled_was_cancelled_since_its_creation(marts: Marts) -> None:
    assert events(marts, 8) == [("canceled", *between(CREATED, "2026-03-01 06:00"))]


def test_what_an_unfinished_run_read_has_not_happened_yet(marts: Marts) -> None:
    assert marts.rows("select count(*) from marts.fct_work_order_events where run_id = 'run-6'") == [(0,)]

"""From records to versions: a version only where content moved, one bad row alone in quarantine, every record counted once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.ingest import Counts, CountsDiffer, Intake, Reading, take
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.warehouse.base import Commit, Tombstone
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.layout import tables
from tests.small_world import DECCAN, NORTHFIELD, NOW, everything, iso, labour, new_warehouse, order, raw, reading, status, stored

LATER = NOW + timedelta(hours=1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with new_warehouse(tmp_path_factory.mktemp("ingest")) as opened:
        yield opened


@pytest.fixture
def warehouse(shared: DuckDBWarehouse) -> DuckDBWarehouse:
    """Return an empty warehouse."""
    shared.execute(";".join(["begin", *(f"delete from {table}" for table in tables()), "commit"]))
    return shared


def store(warehouse: DuckDBWarehouse, *records: dict[str, Any] | bytes, given: Reading | None = None) -> Intake:
    """Take a batch in and commit it."""
    intake = take(given or reading(), [one if isinstance(one, bytes) else raw(one) for one in records], warehouse)
    warehouse.commit(intake.commit)
    return intake


def bury(warehouse: DuckDBWarehouse, record_id: int) -> None:
    warehouse.commit(Commit("work_orders", tombstones=[Tombstone(NORTHFIELD, record_id, "run-2", LATER)]))


def versions(warehouse: DuckDBWarehouse, columns: str = "version_number, cause, title") -> list[tuple]:
    return stored(warehouse, "raw.work_orders", columns, "id, version_number")


def counted(intake: Intake) -> dict[str, int]:
    return {name: number for name, number in asdict(intake.counts).items() if number}


# versions


def test_the_same_batch_twice_appends_nothing(warehouse):
    assert counted(store(warehouse, order(1), order(2))) == {"fetched": 2, "inserted": 2}
    before = everything(warehouse)
    assert counted(store(warehouse, order(1), order(2))) == {"fetched": 2, "unchanged": 2}
    assert everything(warehouse) == before


def test_a_record_that_goes_back_to_what_it_was_has_three_versions(warehouse):
    for title in ("A", "B", "A", "A"):
        store(warehouse, order(title=title, timeItems=[labour(60)]))
    assert versions(warehouse) == [(1, "first", "A"), (2, "change", "B"), (3, "change", "A")]
    assert stored(warehouse, "raw.work_order_time_items", "id, version_number, duration_seconds") == [(1, 1, 60), (1, 2, 60), (1, 3, 60)]


def test_what_only_a_volatile_field_or_other_bytes_tell_apart_is_unchanged(warehouse):
    store(warehouse, order(partsAvailability="NONE"))
    assert counted(store(warehouse, order(partsAvailability="ALL"))) == {"fetched": 1, "unchanged": 1}
    assert counted(store(warehouse, raw(order(partsAvailability="ALL")).replace(b",", b" , "))) == {"fetched": 1, "unchanged": 1}
    assert versions(warehouse, "version_number, parts_availability") == [(1, "NONE")]


def test_a_change_that_moves_no_stamp_is_a_version(warehouse):
    store(warehouse, order())
    assert counted(store(warehouse, order(timeItems=[labour(600, 1000)]))) == {"fetched": 1, "updated": 1}
    assert versions(warehouse, "version_number, updated_at = lag(updated_at) over (order by version_number)") == [(1, None), (2, True)]


def test_a_deleted_record_that_comes_back_as_it_was_is_undeleted(warehouse):
    store(warehouse, order(title="A", categories=["Safety"]))
    bury(warehouse, 1)
    assert counted(store(warehouse, order(title="A", categories=["Safety"]))) == {"fetched": 1, "updated": 1}
    assert versions(warehouse, "version_number, cause, title, is_deleted") == [
        (1, "first", "A", False), (2, "delete", "A", True), (3, "undelete", "A", False)
    ]  # fmt: skip
    assert stored(warehouse, "raw.work_order_categories", "version_number, label") == [(1, "Safety"), (3, "Safety")]


@pytest.mark.parametrize("is_deleted", [False, True], ids=["live", "deleted"])
def test_another_created_at_is_a_new_life_of_the_same_id(warehouse, is_deleted):
    store(warehouse, order(title="Old"))
    if is_deleted:
        bury(warehouse, 1)
    store(warehouse, order(title="New", createdAt=iso(NOW)))
    assert versions(warehouse)[-1] == (3 if is_deleted else 2, "new_life", "New")


def test_the_same_created_at_with_another_offset_is_no_new_life(warehouse):
    store(warehouse, order(createdAt="2026-09-17T06:00:00.000Z"))
    store(warehouse, order(createdAt="2026-09-17T08:00:00.000+02:00"))
    assert versions(warehouse, "version_number, cause") == [(1, "first"), (2, "change")]


def test_a_record_read_in_another_shape_is_a_version_that_no_event_is_made_of(warehouse):
    store(warehouse, order())
    wider = reading(expands=(*BY_TABLE["work_orders"].expands, "asset"))
    assert counted(store(warehouse, order(), given=wider)) == {"fetched": 1, "updated": 1}
    assert counted(store(warehouse, order(), given=wider)) == {"fetched": 1, "unchanged": 1}
    assert versions(warehouse, "version_number, cause, shape_version") == [
        (1, "first", reading().endpoint.shape_version(reading().expands)),
        (2, "shape", wider.endpoint.shape_version(wider.expands)),
    ]


def test_a_row_that_says_it_is_deleted_buries_its_record_once(warehouse):
    store(warehouse, order(1), order(2))
    gone = order(1, deletedAt=iso(NOW))
    assert counted(store(warehouse, gone, order(3, deletedAt=iso(NOW)))) == {"fetched": 2, "unchanged": 2, "deleted": 1}
    assert counted(store(warehouse, gone)) == {"fetched": 1, "unchanged": 1}
    assert versions(warehouse, "id, version_number, cause") == [(1, 1, "first"), (1, 2, "delete"), (2, 1, "first")]
    store(warehouse, order(1))
    assert versions(warehouse, "id, version_number, cause")[2] == (1, 3, "undelete")


def test_of_two_rows_with_one_id_the_one_read_later_wins(warehouse):
    rows = [order(1, title="Early"), order(2), order(1, title="Late")]
    assert counted(store(warehouse, *rows)) == {"fetched": 3, "inserted": 2, "deduplicated": 1}
    assert versions(warehouse, "id, title") == [(1, "Late"), (2, "Order 2")]


@pytest.mark.parametrize("order_of_rows", [1, -1], ids=["live first", "deleted first"])
def test_of_a_live_and_a_deleted_row_of_one_id_the_one_read_later_wins(warehouse, order_of_rows):
    store(warehouse, order(1))
    rows = [order(1, title="Live"), order(1, deletedAt=iso(NOW))][::order_of_rows]
    intake = store(warehouse, *rows)
    assert intake.counts.deduplicated == 1
    assert versions(warehouse, "cause")[-1] == (("delete",) if order_of_rows == 1 else ("change",))


def test_organisations_do_not_share_ids(warehouse):
    store(warehouse, order(1))
    deccan = replace(reading(), organisation_id=DECCAN)
    assert counted(store(warehouse, order(1), given=deccan)) == {"fetched": 1, "inserted": 1}
    assert versions(warehouse, "organisation_id, version_number") == [(NORTHFIELD, 1), (DECCAN, 1)]


def test_a_version_says_which_run_saw_it_and_when(warehouse):
    store(warehouse, order(title="A"))
    store(warehouse, order(title="B"), given=reading(run_id="run-2", now=LATER))
    assert versions(warehouse, "run_id, observed_at") == [("run-1", NOW), ("run-2", LATER)]


def test_an_empty_batch_changes_nothing(warehouse):
    assert counted(store(warehouse)) == {}
    assert everything(warehouse) == {}


def test_the_newest_stamp_of_a_batch_counts_new_and_known_rows_but_no_refused_one(warehouse):
    store(warehouse, order(1, updatedAt=iso(NOW - timedelta(hours=2))))
    known, new = order(1, updatedAt=iso(NOW - timedelta(hours=2))), order(2, updatedAt=iso(NOW - timedelta(hours=3)))
    intake = store(warehouse, known, new, order(3, updatedAt="2999-01-01T00:00:00.000Z"), order(4, title=5, updatedAt=iso(NOW)))
    assert intake.largest_updated_at == NOW - timedelta(hours=2)
    assert (intake.seen_ids, intake.refused_ids) == ({1, 2, 3, 4}, {3, 4})


def test_the_latest_row_of_an_order_carries_its_sums(warehouse):
    store(warehouse, order(timeItems=[labour(600, 1000), labour(60.4, 100)], expenditures=[{"rowTotal": 250.5}, {}]))
    known = warehouse.latest("work_orders", NORTHFIELD, [1])[1]
    assert (known.labour_seconds, known.cost_cents) == (660, 1350)


# one bad row

POISONS: dict[str, dict[str, Any] | bytes] = {
    "type": order(300, title=5),
    "missing": {"id": 300, "sequentialId": 300},
    "naive stamp": order(300, updatedAt="2026-11-01T00:00:00"),
    "unreadable stamp": order(300, updatedAt="yesterday"),
    "no stamp": order(300, updatedAt=None),
    "future": order(300, updatedAt="2999-01-01T00:00:00.000Z"),
    "before the calendar": order(300, dueDate="0001-01-01T00:00:00.000+14:00"),
    "after the calendar": order(300, dueDate="9999-12-31T23:59:59.000-12:00"),
    "assignee": order(300, assignees=[{"type": "USER", "id": "u-12"}]),
    "huge assignee": order(300, assignees=[{"type": "USER", "id": "1" * 30}]),
    "huge id of an asset": order(300, assetId=2**63),
    "huge amount": order(300, expenditures=[{"rowTotal": 1e30}]),
    "huge duration": order(300, timeItems=[labour(1e30)]),
    "huge sum": order(300, timeItems=[labour(9e18), labour(9e18)]),
    "infinite": raw(order(300)).replace(b'"assetId":1', b'"assetId":1e999'),
    "not a number": raw(order(300)).replace(b'"assetId":1', b'"assetId":NaN'),
    "key twice": raw(order(300)).replace(b'"assetId":1', b'"assetId":1,"assetId":2'),
    "surrogate": raw(order(300)).replace(b"Order 300", b"\\ud800"),
    "bytes": raw(order(300)).replace(b"Order 300", b"\xff"),
    "deep": raw(order(300)).replace(b'"assetId":1', b'"x":' + b"[" * 900 + b"]" * 900),
    "huge id": raw(order(300)).replace(b'"id":300', b'"id":' + b"9" * 40),
    "negative id": raw(order(300)).replace(b'"id":300', b'"id":-300'),
    "id in digits": raw(order(300)).replace(b'"id":300', b'"id":"300"'),
    "no object": b"[1,2]",
    "other organisation": order(300, organizationId=DECCAN),
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_d10_one_bad_row_in_200_goes_to_quarantine_and_199_load(warehouse, poison):
    rows = [order(number) for number in range(1, 200)]
    intake = store(warehouse, *rows[:100], poison, *rows[100:])
    assert counted(intake) == {"fetched": 200, "inserted": 199, "quarantined": 1}
    assert stored(warehouse, "raw.work_orders_latest", "count(*), count(distinct id)") == [(199, 199)]
    assert stored(warehouse, "ops.quarantine", "organisation_id, endpoint, run_id, first_seen_at, last_seen_at, times_seen, status") == [
        (NORTHFIELD, "work_orders", "run-1", NOW, NOW, 1, "open")
    ]


def test_quarantine_names_the_record_the_field_and_the_value(warehouse):
    ahead = iso(NOW + timedelta(days=2))
    rows = [order(100, assignees=[{"type": "USER", "id": "u-12"}]), order(101, dueDate="tomorrow"), order(102, updatedAt=ahead)]
    intake = store(warehouse, *rows)
    assert intake.refused_ids == {100, 101, 102}
    assert stored(warehouse, "ops.quarantine", "record_id, reason_code, field, value") == [
        (100, "type", "assignees.0.id", "u-12"),
        (101, "type", "dueDate", "tomorrow"),
        (102, "future_updated_at", "updatedAt", "2026-11-18 06:00:00+00:00"),
    ]


def test_a_refused_row_leaves_the_last_good_version_as_it_is(warehouse):
    store(warehouse, order(1, title="Good"))
    assert counted(store(warehouse, order(1, title=5))) == {"fetched": 1, "quarantined": 1}
    assert versions(warehouse) == [(1, "first", "Good")]


def test_a_status_that_ends_before_it_starts_is_refused_by_its_rule(warehouse):
    wrong = status(2, startedAt=iso(NOW), endedAt=iso(NOW - timedelta(hours=1)))
    intake = store(warehouse, status(1), wrong, status(3), given=reading("asset_statuses"))
    assert counted(intake) == {"fetched": 3, "inserted": 2, "quarantined": 1}
    assert stored(warehouse, "ops.quarantine", "record_id, reason_code, field") == [(2, "ended_before_started", "endedAt")]


def test_an_unknown_value_and_an_unknown_key_are_reported_and_kept(warehouse):
    store(warehouse, order(1, status="ARCHIVED", novelKey={"a": 1}), order(2))
    assert versions(warehouse, "id, status, payload like '%novelKey%'") == [(1, "ARCHIVED", True), (2, "OPEN", False)]
    assert stored(warehouse, "ops.drift", "kind, field, value") == [
        ("unknown_key", "novelKey", None),
        ("unknown_value", "status", "ARCHIVED"),
    ]
    assert stored(warehouse, "ops.quarantine") == []


def test_labels_of_custom_fields_are_data_whatever_they_say(warehouse):
    fields = {'a";drop table raw.work_orders;--': "1", "__proto__": "2", "": "3", "Cost": "4", "cost": "5", "x" * 300: "6", "status": "7"}
    store(warehouse, order(1, extraFields=fields))
    found = stored(warehouse, "raw.work_order_custom_fields", "label, value")
    assert dict(found) == fields
    assert stored(warehouse, "ops.drift") == []


def test_counts_that_do_not_add_up_are_a_fault_of_ours():
    with pytest.raises(CountsDiffer, match="fetched=2"):
        Counts(fetched=2, inserted=1).check()


# laws

CONTENTS = st.tuples(st.integers(1, 4), st.sampled_from(["A", "B", 5, "gone"]))


def record_of(content: tuple[int, str | int]) -> dict[str, Any]:
    record_id, title = content
    return order(record_id, deletedAt=iso(NOW)) if title == "gone" else order(record_id, title=title, timeItems=[labour(60)])


def log_of(warehouse: DuckDBWarehouse, batches: Iterable[Sequence[tuple[int, str | int]]], organisation_id: int) -> list[list[tuple]]:
    """Take batches in under an organisation of their own, and return its log."""
    for batch in batches:
        store(warehouse, *map(record_of, batch), given=replace(reading(), organisation_id=organisation_id))
    where = f"(select * exclude (organisation_id) from {{}} where organisation_id = {organisation_id})"
    tables = ("raw.work_orders", "raw.work_orders_latest", "raw.work_order_time_items")
    return [stored(warehouse, where.format(table)) for table in tables]


FRESH = count(1_000)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(CONTENTS, max_size=8, unique_by=lambda content: content[0]), cuts=st.sets(st.integers(1, 7), max_size=4))
def test_however_records_are_split_into_batches_the_log_is_the_same(shared, contents, cuts):
    bounds = [0, *sorted(cuts), len(contents)]
    split = [contents[start:end] for start, end in pairwise(bounds)]
    assert log_of(shared, split, next(FRESH)) == log_of(shared, [contents], next(FRESH))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(CONTENTS, max_size=4), max_size=3))
def test_reading_a_batch_again_at_once_leaves_the_log_as_it_is(shared, batches):
    twice = [batch for one in batches for batch in (one, one)]
    assert log_of(shared, twice, next(FRESH)) == log_of(shared, batches, next(FRESH))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(CONTENTS, max_size=4), max_size=4))
def test_every_record_fetched_is_counted_once_and_versions_are_numbered_without_gaps(shared, batches):
    given = replace(reading(), organisation_id=next(FRESH))
    total = Counts()
    for batch in batches:
        total.add(store(shared, *map(record_of, batch), given=given).counts)
    total.check()
    assert total.fetched == sum(map(len, batches))
    log = f"(from raw.work_orders where organisation_id = {given.organisation_id})"
    numbers = [found for (found,) in stored(shared, f"(select list(version_number order by version_number) as n from {log} group by id)")]
    assert numbers == [list(range(1, len(found) + 1)) for found in numbers]
    assert sum(map(len, numbers)) == total.inserted + total.updated + total.deleted

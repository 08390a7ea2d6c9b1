"""A source whose stamps, cursors and pages are not what they should be."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

import pytest

from dagster_project import failpoint, walk
from dagster_project.breakers import Breaker
from dagster_project.maintainx.client import Page
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.warehouse.base import BatchSize
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.instants import HOUR, MINUTE, iso
from tests.faults.plant_builder import START, Plant


def test_c6_a_stamp_from_the_future_does_not_hide_what_changes_until_then(plant):
    plant.sync()
    plant.world.advance(timedelta(minutes=30))
    plant.whisper("work_orders", 5, title="from the future", updatedAt=iso(plant.world.now + 20 * HOUR))
    plant.sync()
    plant.world.advance(timedelta(minutes=30))
    plant.change("work_orders", 3, title="changed")
    plant.world.advance(timedelta(hours=4))
    plant.sync()
    assert plant.log() == plant.truth()
    assert plant.watermark() <= plant.world.instant


def test_c6_a_stamp_of_the_year_2999_is_quarantined_and_moves_no_watermark(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.whisper("work_orders", 5, updatedAt="2999-01-01T00:00:00.000Z")
    plant.change("work_orders", 3, title="changed")
    plant.sync()
    assert [(id_, reason) for id_, reason, _, _ in plant.quarantine()] == [(5, "future_updated_at")]
    assert plant.watermark() == plant.world.instant


def test_c6_a_status_interval_from_the_future_does_not_hide_those_after_it(plant):
    def status(id_: int, at: int) -> dict[str, Any]:
        times = dict.fromkeys(("startedAt", "createdAt", "updatedAt"), iso(at))
        return {"id": id_, "assetId": id_ % 3 + 1, "status": "OFFLINE", "creatorId": 1, **times}

    for id_ in range(1, 21):
        plant.world.add("asset_statuses", plant.organisation, status(id_, START - id_ * HOUR))
    plant.world.add("asset_statuses", plant.organisation, status(30, START + 20 * HOUR))
    plant.sync("asset_statuses")
    plant.world.advance(timedelta(hours=2))
    for id_ in range(40, 60):
        plant.world.add("asset_statuses", plant.organisation, status(id_, plant.world.now))
    plant.world.advance(timedelta(hours=1))
    plant.sync("asset_statuses")
    assert plant.log("asset_statuses") == plant.truth("asset_statuses")


def test_a_list_row_that_says_it_is_deleted_is_not_live(plant):
    plant.sync()
    plant.change("work_orders", 4, deletedAt=iso(plant.world.now))
    plant.add_order(99, START, plant.world.now, deletedAt=iso(plant.world.now))
    plant.sync()
    plant.sync()
    assert plant.versions(4) == [(1, "first", False), (2, "delete", True)]
    assert plant.versions(99) == []


@pytest.mark.parametrize("action", ["expired_cursor", "not_found"])
@pytest.mark.parametrize("table", ["locations", "vendors"])
def test_a_cursor_that_expires_in_a_whole_reading_starts_it_again(plant, action, table):
    for id_ in range(1, 31):
        plant.world.add(table, plant.organisation, {"id": id_, "name": f"name {id_}"})
    plant.simulator.faults.add(action, path=table, page=3)
    assert plant.sync(table).status == "ok"
    assert plant.log(table) == plant.truth(table)


def test_a_team_that_is_deleted_while_teams_are_read_does_not_hide_the_others(plant):
    for id_ in (1, 2, 3):
        plant.world.add("teams", plant.organisation, {"id": id_, "name": f"team {id_}", "members": [{"id": 5, "teamRole": "ADMIN"}]})
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("teams", 2), path="teams/1/members")
    assert plant.sync("teams").status == "ok"
    assert set(plant.truth("teams")) <= set(plant.log("teams"))
    plant.sync("teams")
    assert plant.log("teams") == plant.truth("teams")


def test_an_empty_page_with_a_cursor_is_not_the_end_of_a_walk(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=5))
    plant.change_all(range(1, 31), "changed")
    plant.simulator.faults.add("respond", path="workorders", details={"body": {"workOrders": [], "nextCursor": iso(START) + "|0"}})
    plant.sync()
    assert plant.log() == plant.truth()


def test_a_new_expand_of_the_program_reaches_a_log_that_began_without_it(plant, monkeypatch):
    plant.sync()
    endpoint = BY_TABLE["work_orders"]
    monkeypatch.setitem(BY_TABLE, "work_orders", replace(endpoint, expands=(*endpoint.expands, "team_ids")))
    plant.change("work_orders", 3, title="changed", teamIds=[4])
    plant.sync()
    payload = "select payload from raw.work_orders where organisation_id = ? and id = 3 order by version_number desc limit 1"
    assert json.loads(plant.warehouse.query(payload, [plant.organisation])["payload"].item())["teamIds"] == [4]


def test_b4_a_walk_ends_though_a_page_lies_within_one_millisecond():
    rows = [(id_, datetime(2026, 11, 16, 6, tzinfo=UTC) + timedelta(microseconds=100 * id_)) for id_ in range(30)]

    def page(params: Any, start: int = 0, size: int = 4) -> Page:
        given = dict(params)
        first, last = (given.get(f"updatedAt[{end}]", "") for end in ("gte", "lte"))
        found = [row for row in rows if row[1].isoformat() >= first[:23] and (not last or row[1].isoformat()[:23] <= last[:23])]
        records = [json.dumps({"id": id_, "updatedAt": at.isoformat()}).encode() for id_, at in found[start : start + size]]
        return Page(records, "more" if start + size < len(found) else None, rows[0][1], 1)

    seen: set[int] = set()
    walked = walk.anchored(page, lambda params: iter([page(params, size=100)]), "updatedAt", None)
    for found in islice(walked, 50):
        seen.update(json.loads(raw)["id"] for raw in found.records)
    assert next(walked, None) is None
    assert seen == set(range(30))


def test_a12_a_list_of_another_organisation_that_does_not_say_so_is_not_taken(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    before, other = plant.log("locations"), [{"id": id_, "name": f"elsewhere {id_}"} for id_ in range(900, 950)]
    plant.simulator.faults.add("respond", path="locations", times=1, details={"body": {"locations": other, "nextCursor": None}})
    with pytest.raises(Breaker, match="none of the 50 records shown is among the 9 known ones"):
        plant.sync("locations")
    assert plant.log("locations") == before
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


# lists that do not sort or filter as asked

BROKEN: dict[str, dict[str, Any]] = {
    "not sorted": {"ignored": ("sort",)},
    "filter ignored": {"ignored": ("updatedAt[gte]",)},
    "all filters ignored": {"ignored": ("updatedAt[gte]", "createdAt[gte]", "createdAt[lte]")},
    "begins too early": {"earlier": 100 * HOUR},
    "neither": {"ignored": ("sort", "updatedAt[gte]", "createdAt[gte]", "createdAt[lte]")},
}


def broken(plant: Plant, name: str, table: str = "work_orders") -> None:
    """Load, then let the source change and break, and sync."""
    plant.sync(table)
    for field, value in BROKEN[name].items():
        setattr(plant.simulator, field, value)
    plant.world.advance(timedelta(hours=5))
    for id_ in range(20, 0, -1):
        plant.world.advance(timedelta(seconds=1))
        plant.change_all([id_], "changed", table)
    plant.delete(table, 30)


def heals_and_says_so(plant: Plant, table: str) -> None:
    before = plant.watermark(table)
    report = plant.sync(table)
    assert plant.log(table) == plant.truth(table)
    assert (report.status, plant.watermark(table)) == ("ok", before)
    assert "the whole list was read instead" in (report.reason or "")
    assert "not_as_asked" in [kind for kind, _, _ in plant.drift()]
    reasons = "select reason from ops.endpoint_runs where organisation_id = ? and reason like '%whole list%'"
    assert plant.warehouse.query(reasons, [plant.organisation]).height == 1


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("name", ["not sorted", "neither"])
def test_b9_a_list_that_is_not_sorted_is_found_out_read_whole_and_reported(warehouse, table, name):
    plant = with_forty(warehouse, table)
    broken(plant, name, table)
    heals_and_says_so(plant, table)


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("name", ["filter ignored", "all filters ignored", "begins too early"])
def test_b10_a_filter_that_is_not_honoured_is_found_out_the_list_read_whole_and_reported(warehouse, table, name):
    plant = with_forty(warehouse, table)
    broken(plant, name, table)
    heals_and_says_so(plant, table)


@pytest.mark.parametrize("name", BROKEN)
def test_b9_a_first_load_from_a_list_that_is_not_as_asked_is_whole_and_goes_on(warehouse, name):
    plant = with_forty(warehouse, "work_orders")
    for field, value in BROKEN[name].items():
        setattr(plant.simulator, field, value)
    plant.sync()
    assert plant.log() == plant.truth()
    plant.world.advance(timedelta(hours=5))
    plant.change("work_orders", 3, title="changed")
    plant.sync()
    assert plant.log() == plant.truth()


def test_b9_a_source_that_sorts_again_is_read_by_its_changes_again(warehouse):
    plant = with_forty(warehouse, "work_orders")
    broken(plant, "not sorted")
    plant.sync()
    plant.simulator.ignored = ()
    report = plant.sync()
    assert report.reason is None
    assert plant.watermark() == plant.world.instant


def test_b9_downtime_that_is_not_sorted_is_read_whole(plant):
    for id_ in range(1, 41):
        times = dict.fromkeys(("startedAt", "createdAt", "updatedAt"), iso(START - (id_ * 7 % 41) * HOUR))
        row = {"id": id_, "assetId": id_ % 3 + 1, "status": "OFFLINE", "creatorId": 1, **times}
        plant.world.add("asset_statuses", plant.organisation, row)
    plant.simulator.ignored = ("sort",)
    plant.world.whisper("asset_statuses", plant.organisation, 5, updatedAt=iso(START - 1))
    report = plant.sync("asset_statuses")
    assert plant.log("asset_statuses") == plant.truth("asset_statuses")
    assert "descending order" in (report.reason or "")


def with_forty(warehouse: DuckDBWarehouse, table: str) -> Plant:
    """Return a plant with forty records, in pages of seven, the newest with the smallest id."""
    plant = Plant(warehouse, cap=7)
    for id_ in range(1, 41):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR, table)
    return plant


@pytest.mark.parametrize("step", [1, 1000], ids=["milliseconds", "seconds"])
def test_b10_a_filter_that_only_knows_seconds_is_no_violation(warehouse, step):
    plant = Plant(warehouse, cap=3)
    plant.simulator.filter_step = step
    for id_ in range(1, 41):
        plant.add_order(id_, START - id_ * 130, START - id_ * 130)
    report = plant.sync()
    assert report.reason is None
    plant.world.advance(timedelta(hours=4))
    for id_ in range(1, 41):
        plant.world.advance(timedelta(milliseconds=130))
        plant.change("work_orders", id_, title="changed")
    report = plant.sync()
    assert report.reason is None
    assert plant.log() == plant.truth()


def test_b10_a_first_load_by_a_filter_of_seconds_takes_what_was_created_within_its_last_second(warehouse):
    plant = Plant(warehouse, cap=3)
    plant.simulator.filter_step = 1000
    for id_ in range(1, 13):
        plant.add_order(id_, START - HOUR + 50 * (12 - id_), START - (0 if id_ < 4 else 100) * HOUR)
    for id_ in range(13, 41):
        plant.add_order(id_, START - 2 * HOUR - id_ * HOUR, START - 100 * HOUR)
    plant.sync()
    assert plant.log() == plant.truth()


def test_c3_an_older_stamp_is_read_again_by_a_filter_of_seconds(warehouse):
    plant = Plant(warehouse, cap=7)
    plant.simulator.filter_step = 1000
    for id_ in range(1, 41):
        plant.add_order(id_, START - id_ * HOUR + 700, START - HOUR)
    plant.sync()
    plant.whisper("work_orders", 5, title="older", updatedAt=iso(START - HOUR - MINUTE))
    plant.sync()
    assert plant.log() == plant.truth()


# time and order


def test_c1_a_row_that_arrives_with_the_stamp_of_the_watermark_is_read(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=4))
    plant.change("work_orders", 3, title="first")
    plant.sync()
    assert plant.watermark() == plant.world.instant
    plant.change("work_orders", 4, title="second of the same millisecond")
    plant.add_order(60, plant.world.now, plant.world.now)
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("hours", [1, 2.9])
def test_c2_a_change_that_commits_later_than_its_stamp_is_read_within_the_overlap(plant, hours):
    plant.sync()
    plant.world.advance(timedelta(hours=10))
    plant.change("work_orders", 3, title="watermark")
    plant.sync()
    plant.whisper("work_orders", 4, title="late", updatedAt=iso(plant.world.now - int(hours * HOUR)))
    plant.sync()
    assert plant.log() == plant.truth()


def test_c2_a_change_that_commits_later_than_the_overlap_is_healed_by_the_sweep(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=10))
    plant.change("work_orders", 3, title="watermark")
    plant.sync()
    plant.whisper("work_orders", 4, title="very late", updatedAt=iso(plant.world.now - 4 * HOUR))
    plant.sync()
    assert plant.log()[4] != plant.truth()[4]
    plant.reconcile()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("minutes", [30, 600], ids=["within the overlap", "restored from a backup"])
def test_c3_an_older_stamp_that_stands_counts_although_the_log_has_a_newer_one(plant, minutes):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 4, title="newer")
    plant.sync()
    plant.whisper("work_orders", 4, title="older", updatedAt=iso(plant.world.now - minutes * MINUTE))
    plant.sync()
    plant.reconcile()
    assert plant.log() == plant.truth()
    assert [number for number, *_ in plant.versions(4)] == [1, 2, 3]


def test_c3_rows_that_go_backwards_move_no_watermark_and_hide_no_other(plant, monkeypatch):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(7, 2**24, 30.0))
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 4, title="known by a sweep")
    plant.reconcile()  # the log is ahead of the watermark
    plant.whisper("work_orders", 4, title="older", updatedAt=iso(START - 360 * HOUR))
    for id_ in range(50, 80):
        plant.add_order(id_, START - 300 * HOUR, START - 359 * HOUR + id_)
    with suppress(failpoint.Crashed), failpoint.arm(failpoint.at("sync.after_batch", 1, failpoint.crash)):
        plant.sync()
    assert plant.watermark() < plant.world.instant - timedelta(hours=200)
    plant.sync()
    assert plant.log() == plant.truth()


def test_c3_many_rows_that_go_backwards_cost_few_requests(warehouse):
    plant = Plant(warehouse, cap=50)
    plant.orders(range(1, 401))
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    for id_ in range(1, 401, 2):
        plant.world.advance(timedelta(milliseconds=1))
        plant.change("work_orders", id_, title="newer")
    plant.sync()
    for id_ in range(1, 401, 2):
        plant.whisper("work_orders", id_, title="restored", updatedAt=iso(plant.world.now - MINUTE + id_))
    report = plant.sync()
    assert plant.log() == plant.truth()
    assert report.requests <= 20


@pytest.mark.parametrize(
    "clock", [lambda asked: asked * 3600.0, lambda asked: -asked * 3600.0, lambda _: 0.0], ids=["jumps", "goes back", "stands"]
)
def test_c4_our_own_clock_has_no_part_in_what_is_read(plant, clock):
    asked = count()
    plant.clock = lambda: clock(next(asked))
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 3, title="changed")
    plant.sync()
    assert plant.log() == plant.truth()
    assert plant.watermark() == plant.world.instant


@pytest.mark.parametrize("seconds", [3600, -3600, 86_400], ids=["an hour ahead", "an hour behind", "a day ahead"])
def test_c4_a_source_whose_clock_is_wrong_in_one_run_hides_nothing(plant, seconds):
    plant.sync()
    plant.world.advance(timedelta(hours=30))
    plant.change("work_orders", 3, title="before")
    plant.simulator.faults.add("clock_skew", times=None, details={"seconds": seconds})
    plant.sync()
    plant.simulator.faults.clear()
    plant.world.advance(timedelta(minutes=1))
    plant.change("work_orders", 4, title="after")
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 6))
@pytest.mark.parametrize("table", ["work_orders", "assets", "asset_statuses", "work_requests"])
def test_c5_an_answer_of_a_replica_that_is_behind_takes_nothing_back(warehouse, table, nth):
    plant = Plant(warehouse, cap=7)
    stale_world(plant, table)
    before = plant.log(table)
    plant.simulator.faults.add("lag", path=table.replace("_", ""), nth=nth, details={"seconds": 7200})
    plant.sync(table)
    assert {id_: row[:2] for id_, row in plant.log(table).items() if id_ in before} == {id_: row[:2] for id_, row in before.items()}
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)


def stale_world(plant: Plant, table: str) -> None:
    """Let a table have forty records of which ten changed in the last hour, all of them read."""
    for id_ in range(1, 41):
        at = START - 20 * MINUTE - id_ * MINUTE  # within the overlap of what follows
        more = {"startedAt": iso(at), "assetId": id_ % 3 + 1} if table == "asset_statuses" else {"requestStatus": "PENDING"}
        plant.world.now = at
        plant.add_order(id_, at, at, table, **more)
    plant.world.now = START
    plant.sync(table)
    for id_ in range(1, 21, 2):
        plant.world.advance(timedelta(minutes=5))
        plant.change(table, id_, title="changed", name="changed")
    plant.sync(table)


def test_c5_a_deleted_record_that_a_replica_still_shows_stays_deleted(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change_all(range(4, 14), "last")
    plant.sync()
    plant.world.advance(timedelta(minutes=125))
    for id_ in range(4, 14):
        plant.delete("work_orders", id_)
    plant.reconcile()
    plant.simulator.faults.add("lag", path="workorders", nth=1, details={"seconds": 7200})
    plant.sync()
    assert plant.log() == plant.truth()
    assert {plant.versions(id_)[-1][1] for id_ in range(4, 14)} == {"delete"}


ODD_STAMPS = {"1970": "1970-01-01T00:00:00.000Z", "null": None, "2999": "2999-01-01T00:00:00.000Z"}


@pytest.mark.parametrize("stamp", ODD_STAMPS.values(), ids=ODD_STAMPS)
@pytest.mark.parametrize("when", ["at the first load", "later"])
def test_c6_an_odd_updatedat_is_kept_or_named_and_hides_nothing(plant, stamp, when):
    if when == "later":
        plant.sync()
    plant.whisper("work_orders", 5, title="odd", updatedAt=stamp)
    plant.world.advance(timedelta(hours=5))
    plant.change("work_orders", 3, title="changed")
    plant.sync()
    plant.reconcile()
    others = {id_: row for id_, row in plant.truth().items() if id_ != 5}
    assert {id_: row for id_, row in plant.log().items() if id_ != 5} == others
    assert plant.watermark() <= plant.world.instant
    assert (plant.log().get(5) == plant.truth()[5]) is (stamp is not None and stamp.startswith("1970"))
    assert [id_ for id_, *_ in plant.quarantine()] == ([] if stamp and stamp.startswith("1970") else [5])


@pytest.mark.parametrize("created", [None, "1970-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"], ids=["null", "1970", "2999"])
def test_c6_an_odd_createdat_hides_no_row_of_a_first_load(plant, created):
    plant.whisper("work_orders", 5, createdAt=created)
    plant.whisper("work_orders", 39, createdAt=created)
    plant.sync()
    found = {id_: row for id_, row in plant.truth().items() if created or id_ not in {5, 39}}
    assert plant.log() == found
    assert [id_ for id_, *_ in plant.quarantine()] == ([] if created else [5, 39])

"""A source whose stamps, cursors and pages are not what they should be."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from dagster_project import walk
from dagster_project.maintainx.client import Page
from dagster_project.maintainx.endpoints import BY_TABLE
from simulator.instants import HOUR, iso
from tests.faults.plant_builder import START


def test_a_stamp_from_the_future_does_not_hide_what_changes_until_then(plant):
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


def test_a_stamp_of_the_year_2999_is_quarantined_and_moves_no_watermark(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.whisper("work_orders", 5, updatedAt="2999-01-01T00:00:00.000Z")
    plant.change("work_orders", 3, title="changed")
    plant.sync()
    assert [(id_, reason) for id_, reason, _, _ in plant.quarantine()] == [(5, "future_updated_at")]
    assert plant.watermark() == plant.world.instant


def test_a_status_interval_from_the_future_does_not_hide_those_after_it(plant):
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


def test_a_walk_ends_though_a_page_lies_within_one_millisecond():
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

"""Records that come and go: what is gone is found to be gone, and nothing that exists is deleted."""

import json
from datetime import timedelta
from typing import Any

import pytest

from dagster_project import reconcile, sync
from dagster_project.breakers import Breaker
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.maintainx.errors import MaintainXError, ProtocolError, RateLimited, Unauthorized, Unavailable
from simulator.instants import HOUR, iso
from simulator.options import Options
from tests.faults.plant_builder import START, Plant, SmallPages


def neighbour(plant: Plant) -> Plant:
    """Return another organisation of the same MaintainX."""
    other = Plant(plant.warehouse)
    other.world = plant.world
    other.world.add("organizations", other.organisation, {"id": other.organisation, "name": "Neighbour"})
    other.simulator = SmallPages(other.world, other.options)
    return other


def users(plant: Plant, *ids: int) -> None:
    for id_ in ids:
        plant.world.add("users", plant.organisation, {"id": id_, "firstName": "Ana", "lastName": f"the {id_}th", "role": "MEMBER"})


# deleted


def test_e1d_a_row_that_is_shown_as_deleted_is_no_difference_after_a_first_load(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 4))
    plant.whisper("work_orders", 2, deletedAt=iso(START))
    with plant.run() as (source, run):
        report = sync.sync(BY_TABLE["work_orders"], source, warehouse, run)
        found = reconcile.first_load(report, warehouse, run)
    assert (found.status, found.source_rows, found.raw_rows) == ("matched", 2, 2)


def test_e1d_a_record_that_is_gone_is_deleted_once_the_source_confirms_it(plant):
    plant.locations([1, 2, 3])
    plant.sync("locations")
    plant.delete("locations", 2)
    plant.sync("locations")
    plant.sync("locations")
    assert plant.versions(2, "locations") == [(1, "first", False), (2, "delete", True)]
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("deleted_get", ["not_found", "deleted_at"])
def test_e1d_a_deletion_is_confirmed_by_a_404_or_by_a_record_that_says_so_itself(warehouse, deleted_get):
    plant = Plant(warehouse, options=Options(deleted_get=deleted_get))
    plant.orders(range(1, 11))
    plant.sync()
    plant.delete("work_orders", 4)
    found = plant.reconcile()
    assert (found.ghost, found.deleted, found.source_ids, found.live_rows) == (1, 1, 9, 9)
    assert plant.log() == plant.truth()


def test_e1d_a_record_that_the_list_itself_shows_as_deleted_is_deleted(plant):
    plant.sync()
    plant.change("work_orders", 4, deletedAt=iso(START))
    plant.sync()
    assert plant.versions(4) == [(1, "first", False), (2, "delete", True)]


def test_e1d_a_record_that_was_deleted_before_it_was_ever_read_leaves_no_trace(plant):
    plant.delete("work_orders", 7)
    plant.add_order(41, START, START, deletedAt=iso(START))
    plant.sync()
    found = plant.reconcile()
    assert (found.ghost, found.source_ids, found.live_rows) == (0, 39, 39)
    assert plant.versions(7) == plant.versions(41) == []


# deleted, and there again


def test_e2d_a_record_that_comes_back_is_live_again_and_keeps_its_history(plant):
    plant.locations([1, 2, 3])
    plant.sync("locations")
    plant.delete("locations", 2)
    plant.sync("locations")
    plant.locations([2])
    plant.sync("locations")
    assert plant.versions(2, "locations") == [(1, "first", False), (2, "delete", True), (3, "undelete", False)]
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("is_stamped", [True, False], ids=["with a new stamp", "with its old stamp"])
def test_e2d_an_order_that_comes_back_is_found_by_the_sync_or_by_the_next_sweep(plant, is_stamped):
    plant.sync()
    record = dict(plant.world.get("work_orders", plant.organisation, 7) or {})
    plant.delete("work_orders", 7)
    plant.reconcile()
    plant.world.advance(timedelta(hours=1))
    stamp = {"updatedAt": iso(plant.world.now)} if is_stamped else {}
    plant.world.add("work_orders", plant.organisation, {**record, **stamp})
    plant.sync()
    assert (7 in plant.log()) == is_stamped
    found = plant.reconcile()
    assert (found.missing, found.late_rows, found.source_ids, found.live_rows) == (0 if is_stamped else 1, 0, 40, 40)
    assert plant.versions(7) == [(1, "first", False), (2, "delete", True), (3, "undelete", False)]
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("is_noticed", [True, False], ids=["after the deletion was read", "between two readings"])
def test_e2d_an_id_that_is_used_again_begins_a_new_life_of_the_same_record(plant, is_noticed):
    plant.sync()
    plant.delete("work_orders", 7)
    if is_noticed:
        plant.reconcile()
    plant.world.advance(timedelta(hours=1))
    plant.add_order(7, plant.world.now, plant.world.now, title="another")
    plant.sync()
    causes = [cause for _, cause, _ in plant.versions(7)]
    assert causes == (["first", "delete", "new_life"] if is_noticed else ["first", "new_life"])
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("is_stamped", [True, False], ids=["with a new stamp", "with its old stamp"])
def test_e2d_a_page_that_still_shows_a_revived_record_as_deleted_does_not_bury_it_again(plant, is_stamped):
    plant.sync()
    plant.change("work_orders", 7, deletedAt=iso(START))
    plant.change("work_orders", 8, title="changed")
    plant.sync()
    buried = dict(plant.world.get("work_orders", plant.organisation, 7) or {})
    plant.world.advance(timedelta(hours=1))
    stamp = {"updatedAt": iso(plant.world.now)} if is_stamped else {}
    plant.whisper("work_orders", 7, deletedAt=None, **stamp)
    plant.reconcile()
    plant.simulator.faults.add("respond", path="workorders", details={"body": {"workOrders": [buried], "nextCursor": None}})
    plant.sync()
    assert plant.versions(7) == [(1, "first", False), (2, "delete", True), (3, "undelete", False)]
    assert plant.log() == plant.truth()


def test_e2d_a_revived_record_that_is_deleted_once_more_is_buried_once_more(plant):
    plant.sync()
    for deleted_at in (iso(START), None, iso(START)):
        plant.world.advance(timedelta(hours=1))
        plant.change("work_orders", 7, deletedAt=deleted_at)
        plant.sync()
    assert [cause for _, cause, _ in plant.versions(7)] == ["first", "delete", "undelete", "delete"]


# absent, and there all the same


@pytest.mark.parametrize("known", [1, 9])
def test_e3d_a_list_that_is_suddenly_empty_deletes_nothing(plant, known):
    plant.locations(range(1, known + 1))
    plant.sync("locations")
    plant.simulator.faults.add("empty", path="locations")
    with pytest.raises(Breaker, match=r"Nothing was deleted.*--accept locations"):
        plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


def test_e3d_half_a_list_that_is_suddenly_missing_deletes_nothing_until_it_is_accepted(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 121))
    plant.sync()
    kept = [json.loads(raw) for raw in plant.world.table("work_orders", plant.organisation).rows.encoded.values()][:60]
    plant.simulator.faults.add("respond", path="workorders", details={"body": {"workOrders": kept, "nextCursor": None}})
    with pytest.raises(Breaker, match=r"60 of 120 known records are absent.*Nothing was deleted"):
        plant.reconcile()
    assert plant.log() == plant.truth()
    for id_ in range(61, 121):
        plant.delete("work_orders", id_)
    with pytest.raises(Breaker):
        plant.reconcile()
    assert plant.reconcile(accepted=["work_orders"]).deleted == 60
    assert plant.log() == plant.truth()


def test_e3d_a_proxy_that_answers_404_to_everything_deletes_nothing(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("empty", path="locations", page=1, times=None)
    plant.simulator.faults.add("respond", path="locations/*", times=None, details={"status": 404, "body": "<html>not here</html>"})
    with pytest.raises((Breaker, ProtocolError)):
        plant.sync("locations")
    assert len(plant.log("locations")) == 9


def test_e3d_a_part_that_the_token_may_no_longer_see_is_not_deleted_while_it_exists(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    hidden = {
        "locations": [json.loads(raw) for raw in plant.world.table("locations", plant.organisation).rows.encoded.values()][:7],
        "nextCursor": None,
    }
    plant.simulator.faults.add("respond", path="locations", details={"body": hidden})
    assert plant.sync("locations").counts.deleted == 0
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("fault", ["forbidden", "500"])
def test_e3d_an_absent_record_that_the_source_will_not_tell_of_stays_and_the_others_go_on(plant, fault):
    plant.locations(range(1, 10))
    plant.sync("locations")
    for id_ in (2, 7):
        plant.delete("locations", id_)
    plant.simulator.faults.add(fault, path="locations/2", times=None)
    report = plant.sync("locations")
    assert (report.status, report.counts.deleted) == ("ok", 1)
    assert report.reason is not None
    assert "record 2 stays as it was" in report.reason
    found = plant.reconcile("locations")
    assert (found.status, found.ghost) == ("differs", 0)
    assert "record 2 stays as it was" in str(found.reason)
    assert set(plant.log("locations")) == {1, 2, 3, 4, 5, 6, 8, 9}
    plant.simulator.faults.clear()
    assert plant.sync("locations").counts.deleted == 1


def test_e3d_a_source_that_fails_on_every_absent_record_is_an_error(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    for id_ in range(2, 7):
        plant.delete("locations", id_)
    for id_ in range(2, 7):
        plant.simulator.faults.add("500", path=f"locations/{id_}", times=None)
    with pytest.raises(Unavailable):
        plant.sync("locations")
    assert set(plant.log("locations")) == set(range(1, 10))


@pytest.mark.parametrize(("fault", "error"), [("unauthorized", Unauthorized), ("429", RateLimited)], ids=["401", "429"])
def test_a4_a_token_that_is_refused_while_absent_records_are_asked_for_stops_at_once(plant, fault, error):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.delete("locations", 2)
    plant.simulator.faults.add(fault, path="locations/2", times=None)
    with pytest.raises(error):
        plant.sync("locations")


def teams(plant: Plant) -> None:
    """Add three teams, each with one member."""
    for id_ in (1, 2, 3):
        plant.world.add("teams", plant.organisation, {"id": id_, "name": f"team {id_}", "members": [{"id": 5, "teamRole": "ADMIN"}]})


def test_e3d_a_team_whose_members_may_not_be_read_keeps_those_it_had_and_the_others_go_on(plant):
    teams(plant)
    plant.sync("teams")
    plant.simulator.faults.add("forbidden", path="teams/2/members", times=None)
    plant.whisper("teams", 2, name="renamed")
    plant.whisper("teams", 3, name="renamed too")
    report = plant.sync("teams")
    assert (report.status, report.counts.updated, report.counts.deleted) == ("ok", 1, 0)
    assert "record 2 stays as it was" in str(report.reason)
    assert (plant.versions(2, "teams"), len(plant.versions(3, "teams"))) == ([(1, "first", False)], 2)
    assert plant.reconcile("teams").status == "differs"


def test_e1d_a_team_that_is_deleted_before_its_members_are_read_keeps_its_last_members_in_the_log(plant):
    teams(plant)
    plant.sync("teams")
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("teams", 2), path="teams/1/members")
    plant.sync("teams")
    assert plant.versions(2, "teams") == [(1, "first", False), (2, "delete", True)]
    assert set(plant.log("teams")) == {1, 3}


@pytest.mark.parametrize("body", ["", "{}", "null", "[]", '{"errors":[{"error":"x"}]}', '{"locations":null}', "<html>Sign in</html>"])
def test_e3d_an_answer_that_is_no_list_is_an_error_and_deletes_nothing(plant, body):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("respond", path="locations", times=None, details={"body": body})
    with pytest.raises(MaintainXError):
        plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


# deletions that nobody announces


def test_e4d_a_user_who_was_removed_is_gone_with_the_next_sync(plant):
    users(plant, 1, 2, 3)
    plant.sync("users")
    plant.delete("users", 2)  # read by its id it says removedFromOrganization
    assert plant.sync("users").counts.deleted == 1
    assert set(plant.log("users")) == {1, 3}


def test_e4d_a_location_that_was_deleted_is_gone_with_the_next_sync(plant):
    plant.locations([1, 2, 3])
    plant.sync("locations")
    plant.delete("locations", 2)
    assert plant.sync("locations").counts.deleted == 1
    assert set(plant.log("locations")) == {1, 3}


def test_e4d_an_asset_that_was_deleted_is_gone_with_the_next_sweep(plant):
    for id_ in range(1, 11):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR, "assets")
    plant.sync("assets")
    plant.delete("assets", 2)
    plant.sync("assets")
    assert len(plant.log("assets")) == 10
    found = plant.reconcile("assets", is_full=False)
    assert (found.ghost, found.source_ids, found.live_rows) == (1, 9, 9)
    assert plant.log("assets") == plant.truth("assets")


# records that move


def test_e5d_a_record_that_moved_to_another_organisation_is_deleted_in_the_one_and_begins_in_the_other(plant):
    other = neighbour(plant)
    other.orders(range(101, 111))
    plant.sync()
    other.sync()
    record: dict[str, Any] = dict(plant.world.get("work_orders", plant.organisation, 7) or {})
    plant.delete("work_orders", 7)
    moved = {**record, "organizationId": other.organisation, "updatedAt": iso(plant.world.now)}
    plant.world.add("work_orders", other.organisation, moved)
    for one in (plant, other):
        one.sync()
        one.reconcile()
        assert one.log() == one.truth()
    assert plant.versions(7) == [(1, "first", False), (2, "delete", True)]
    assert other.versions(7) == [(1, "first", False)]


def test_e5d_a_record_that_names_another_organisation_is_neither_taken_nor_deleted(plant):
    plant.sync()
    plant.change("work_orders", 7, organizationId=7)
    plant.sync()
    found = plant.reconcile()
    assert (found.ghost, found.source_ids, found.live_rows) == (0, 40, 40)
    assert plant.versions(7) == [(1, "first", False)]
    assert [row[:3] for row in plant.quarantine()] == [(7, "wrong_organisation", "open")]


def test_e5d_of_two_assets_that_were_merged_one_is_gone_and_its_orders_name_the_other(plant):
    for id_ in (1, 2, 3):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR, "assets")
    plant.whisper("work_orders", 9, assetId=2)
    for table in ("assets", "work_orders"):
        plant.sync(table)
    plant.delete("assets", 2)
    plant.whisper("work_orders", 9, assetId=1)
    for table in ("assets", "work_orders"):
        assert plant.reconcile(table).status == "healed"
    assert set(plant.log("assets")) == {1, 3}
    assert plant.warehouse.column_of("work_orders", plant.organisation, "asset_id", [9]) == [1]

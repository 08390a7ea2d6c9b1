"""A source that changes while it is read: nothing is skipped."""

from datetime import timedelta
from itertools import count

import pytest

from dagster_project import sync
from simulator.instants import HOUR, MINUTE, iso
from simulator.options import Options
from tests.faults.plant_builder import START, Plant


def two_pages_of_a_first_load(plant: Plant, table: str, nth: int) -> None:
    """Load for the first time while rows are changed and added before the nth request; the log equals the source at once."""
    for id_ in range(1, 41):
        plant.add_order(id_, START - 400 * HOUR + id_ * HOUR, START - 400 * HOUR + id_ * HOUR, table)

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        plant.change(table, 40, title="changed", name="changed")
        plant.change(table, 1, title="changed", name="changed")
        plant.add_order(50, plant.world.now, plant.world.now, table)

    plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), nth=nth)
    plant.sync(table)
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)


def two_pages_of_an_update(plant: Plant, table: str, nth: int) -> None:
    """Read changes while more of them happen before the nth request."""
    for id_ in range(1, 41):
        plant.add_order(id_, START - 400 * HOUR + id_ * HOUR, START - 400 * HOUR + id_ * HOUR, table)
    plant.sync(table)
    plant.world.advance(timedelta(hours=5))
    for id_ in range(1, 31):
        plant.world.advance(timedelta(seconds=1))
        plant.change(table, id_, title="before", name="before")

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        for id_ in (2, 9, 30):
            plant.change(table, id_, title="during", name="during")
        plant.add_order(60, plant.world.now, plant.world.now, table)

    plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), nth=nth)
    plant.sync(table)
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)


@pytest.mark.parametrize("nth", [1, 3, 4, 6, 9])
def test_b1_what_changes_between_two_pages_of_a_first_load_by_offset_is_read(warehouse, nth):
    two_pages_of_a_first_load(Plant(warehouse, cap=7), "assets", nth)


@pytest.mark.parametrize("nth", [1, 2, 4, 6])
def test_b1_what_changes_between_two_pages_of_an_update_by_offset_is_read(warehouse, nth):
    two_pages_of_an_update(Plant(warehouse, cap=7), "assets", nth)


@pytest.mark.parametrize("nth", [1, 3, 4, 6, 9])
@pytest.mark.parametrize("cap", [3, 7])
def test_b2_what_changes_between_two_pages_of_a_first_load_by_keyset_is_read(warehouse, nth, cap):
    two_pages_of_a_first_load(Plant(warehouse, cap), "work_orders", nth)


@pytest.mark.parametrize("nth", [1, 2, 4, 6, 8])
def test_b2_what_changes_between_two_pages_of_an_update_by_keyset_is_read(warehouse, nth):
    two_pages_of_an_update(Plant(warehouse, cap=7), "work_orders", nth)


@pytest.mark.parametrize("nth", [1, 2, 4, 6])
def test_b2_a_request_that_changes_while_an_unsorted_list_is_read_is_read_by_the_next_run(plant, nth):
    for id_ in range(1, 41):
        at = iso(START - id_ * HOUR)
        plant.world.add("work_requests", plant.organisation, {"id": id_, "title": f"r {id_}", "requestStatus": "PENDING", "updatedAt": at})

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        for id_ in (3, 20, 39):
            plant.change("work_requests", id_, title="changed")
        plant.world.add("work_requests", plant.organisation, {"id": 50, "title": "new", "requestStatus": "PENDING"})

    plant.simulator.faults.add("mutate", callback=meanwhile, path="workrequests", nth=nth)
    plant.sync("work_requests")
    assert set(plant.log("work_requests")) >= set(range(1, 41))
    plant.sync("work_requests")
    assert plant.log("work_requests") == plant.truth("work_requests")


def test_b2_a_list_that_showed_a_record_twice_is_read_again_until_nothing_new_is_found(plant):
    plant.locations(range(10, 50))
    plant.simulator.faults.add("mutate", callback=lambda: plant.locations([1]), path="locations", nth=3)  # what stood before it moves on
    report = plant.sync("locations")
    assert report.counts.deduplicated + report.counts.unchanged >= 1
    assert plant.log("locations") == plant.truth("locations")


def test_b2_a_quiet_list_of_several_pages_is_read_once(plant):
    plant.locations(range(1, 41))
    assert plant.sync("locations").requests == 6
    assert plant.sync("locations").requests == 6


@pytest.mark.parametrize("nth", range(1, 7))
def test_b3_a_delete_between_two_pages_never_hides_or_deletes_another_record(plant, nth):
    plant.locations(range(1, 41))
    plant.sync("locations")
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("locations", 2), path="locations", nth=nth)
    plant.sync("locations")
    assert set(plant.truth("locations")) <= set(plant.log("locations"))
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("nth", [2, 3, 5])
def test_b3_a_delete_between_two_pages_of_an_update_hides_no_other_record(warehouse, table, nth):
    plant = Plant(warehouse, cap=7)
    for id_ in range(1, 41):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR, table)
    plant.sync(table)
    plant.world.advance(timedelta(hours=5))
    for id_ in range(1, 31):
        plant.world.advance(timedelta(seconds=1))
        plant.change(table, id_, title="changed", name="changed")

    def meanwhile() -> None:
        plant.delete(table, 1)
        plant.delete(table, 2)

    plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), nth=nth)
    plant.sync(table)
    assert {id_: row for id_, row in plant.log(table).items() if id_ > 2} == plant.truth(table)


def test_b3_a_record_that_a_delete_pushed_out_of_sight_is_found_in_the_same_run(plant):
    plant.locations(range(1, 41))
    plant.sync("locations")
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("locations", 2), path="locations", nth=4)
    report = plant.sync("locations")
    assert report.counts.deleted == 0
    assert plant.sync("locations").counts.deleted == 1
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("size", [7, 8, 14, 30])
def test_b4_more_rows_of_one_instant_than_a_page_holds_are_all_read(plant, size):
    plant.sync()
    plant.world.advance(timedelta(hours=4))
    plant.change_all(range(1, size + 1), "imported")
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("nth", range(1, 6))
def test_b4_a_row_that_leaves_a_group_of_one_instant_while_it_is_read_hides_no_other(warehouse, table, nth):
    plant = Plant(warehouse, cap=7)
    for id_ in range(1, 41):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR, table)
    plant.sync(table)
    plant.world.advance(timedelta(hours=4))
    plant.change_all(range(1, 31), "imported", table)

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        plant.change(table, 2, title="again")
        plant.delete(table, 5)

    plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), nth=nth)
    plant.sync(table)
    assert {id_: row for id_, row in plant.log(table).items() if id_ != 5} == plant.truth(table)


def test_c2_a_change_that_the_list_shows_two_hours_late_is_not_lost(warehouse):
    plant = Plant(warehouse, cap=7, options=Options(list_lag_seconds=7200))
    plant.orders(range(1, 41))
    plant.world.advance(timedelta(hours=3))
    for minutes in range(1, 400, 20):
        plant.world.advance(timedelta(minutes=20))
        plant.change("work_orders", minutes % 40 + 1, title=f"at {minutes}")
        plant.orders([100 + minutes], updated=plant.world.now)
        plant.sync()
    plant.world.advance(timedelta(hours=3))
    plant.sync()
    assert plant.log() == plant.truth()


def test_c3_a_row_whose_updatedat_went_backwards_within_the_overlap_is_read(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 4, title="newer")
    plant.sync()
    plant.whisper("work_orders", 4, title="older", updatedAt=iso(plant.world.now - 30 * MINUTE))
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 7))
def test_b1_a_status_interval_that_ends_while_the_log_of_downtime_is_read_is_not_lost(plant, nth):
    for id_ in range(1, 41):
        times = dict.fromkeys(("startedAt", "createdAt", "updatedAt"), iso(START - id_ * HOUR))
        row = {"id": id_, "assetId": id_ % 3 + 1, "status": "OFFLINE", "creatorId": 1, **times}
        plant.world.add("asset_statuses", plant.organisation, row)

    def meanwhile() -> None:
        plant.world.advance(timedelta(minutes=1))
        for id_ in (3, 20, 39):
            plant.change("asset_statuses", id_, title="ended", endedAt=iso(plant.world.now))

    plant.simulator.faults.add("mutate", callback=meanwhile, path="assetstatuses", nth=nth)
    plant.sync("asset_statuses")
    plant.sync("asset_statuses")
    assert plant.log("asset_statuses") == plant.truth("asset_statuses")


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("step", [1, 1000], ids=["milliseconds", "seconds"])
def test_b4_a_bulk_import_of_one_instant_that_changes_while_it_is_read_is_read_whole(warehouse, table, step):
    plant = Plant(warehouse, cap=7)
    plant.simulator.filter_step = step
    plant.orders([1])
    for id_ in range(100, 150):
        plant.add_order(id_, START - HOUR, START - HOUR, table)
    for id_ in range(200, 230):
        plant.add_order(id_, START - HOUR + id_, START - HOUR + id_, table)
    plant.sync(table)
    plant.world.advance(timedelta(hours=4))
    plant.change_all(range(100, 150), "again", table)

    def meanwhile() -> None:
        plant.world.advance(timedelta(milliseconds=1))
        plant.change(table, 101, title="during", name="during")
        plant.delete(table, 102)

    plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), nth=3)
    plant.sync(table)
    assert {id_: row for id_, row in plant.log(table).items() if id_ != 102} == plant.truth(table)


def test_b11_a_list_that_grows_tenfold_while_it_is_read_is_read_to_its_end(warehouse):
    plant = Plant(warehouse, cap=20)
    plant.orders(range(1, 101))
    plant.simulator.faults.add("mutate", callback=lambda: grow(plant, 900, START), path="workorders", nth=6)
    report = plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()
    assert report.requests < 90


def test_b11_a_source_that_writes_faster_than_it_is_read_does_not_keep_a_run_for_ever(plant, monkeypatch):
    monkeypatch.setattr(sync, "PAGES_AHEAD", 5)
    plant.sync()
    fresh = count(1000, 7)

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        for id_ in range(start := next(fresh), start + 7):
            plant.add_order(id_, plant.world.now + id_ - start, plant.world.now + id_ - start)

    plant.simulator.faults.add("mutate", callback=meanwhile, path="workorders", times=None)
    assert plant.sync().requests < 20
    plant.simulator.faults.clear()
    plant.sync()
    assert plant.log() == plant.truth()


def grow(plant: Plant, rows: int, at: int) -> None:
    """Let a plant have so many more orders, updated in the minutes after `at`."""
    for id_ in range(1000, 1000 + rows):
        plant.add_order(id_, at + id_ * 100, at + id_ * 100)

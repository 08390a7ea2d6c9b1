"""A source that changes while it is read: nothing is skipped."""

from datetime import timedelta

import pytest

from simulator.instants import HOUR, MINUTE, iso
from simulator.options import Options
from tests.faults.plant_builder import START, Plant


@pytest.mark.parametrize("nth", range(1, 12, 2))
@pytest.mark.parametrize("cap", [3, 7])
def test_whatever_happens_between_two_pages_of_a_first_load_is_read_by_its_end(plant, nth, cap):
    plant.simulator.cap = cap

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        plant.change("work_orders", 40, title="changed")
        plant.change("work_orders", 1, title="changed")
        plant.orders([50], updated=plant.world.now)

    plant.simulator.faults.add("mutate", callback=meanwhile, path="workorders", nth=nth)
    plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 9))
def test_whatever_happens_between_two_pages_of_an_update_is_read_by_its_end(plant, nth):
    plant.sync()
    plant.world.advance(timedelta(hours=5))
    for id_ in range(1, 31):
        plant.world.advance(timedelta(seconds=1))
        plant.change("work_orders", id_, title="before")

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        for id_ in (2, 9, 30):
            plant.change("work_orders", id_, title="during")
        plant.orders([60], updated=plant.world.now)

    plant.simulator.faults.add("mutate", callback=meanwhile, path="workorders", nth=nth)
    plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_delete_between_two_pages_never_hides_or_deletes_another_record(plant, nth):
    plant.locations(range(1, 41))
    plant.sync("locations")
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("locations", 2), path="locations", nth=nth)
    plant.sync("locations")
    assert set(plant.truth("locations")) <= set(plant.log("locations"))
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("size", [7, 8, 14, 30])
def test_more_rows_of_one_instant_than_a_page_holds_are_all_read(plant, size):
    plant.sync()
    plant.world.advance(timedelta(hours=4))
    plant.change_all(range(1, size + 1), "imported")
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("nth", range(1, 9))
def test_a_row_that_leaves_a_group_of_one_instant_while_it_is_read_hides_no_other(warehouse, table, nth):
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


def test_a_change_that_the_list_shows_two_hours_late_is_not_lost(warehouse):
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


def test_a_row_whose_updatedat_went_backwards_within_the_overlap_is_read(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 4, title="newer")
    plant.sync()
    plant.whisper("work_orders", 4, title="older", updatedAt=iso(plant.world.now - 30 * MINUTE))
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_status_interval_that_ends_while_the_log_of_downtime_is_read_is_not_lost(plant, nth):
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

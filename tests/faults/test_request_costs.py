"""What a reading costs in requests, against the fewest that can do it: one for every 200 records."""

import math

import pytest

from dagster_project import first_load
from simulator.instants import HOUR, MINUTE
from tests.faults.plant_builder import START, Plant

ROWS, CAP = 2_000, 20  # as many pages as 20,000 records make at the real size of a page


@pytest.fixture
def large(warehouse, monkeypatch) -> Plant:
    """A plant whose orders fill a hundred pages, created and changed over two months."""
    monkeypatch.setattr(first_load, "SLICE_ROWS", 500)  # four slices, as 20,000 records make
    found = Plant(warehouse, cap=CAP)
    for id_ in range(1, ROWS + 1):
        at = START - 60 * 24 * HOUR + id_ * 40 * MINUTE
        found.add_order(id_, at, at)
    return found


def test_b11_a_first_load_costs_little_more_than_the_fewest_requests_that_can_do_it(large):
    report = large.sync()
    floor = math.ceil(ROWS / CAP)
    repeated = ROWS // (CAP - 1) - floor  # each page begins with the last row of the one before: 1 of 20 here, 1 of 200 in life
    assert large.log() == large.truth()
    assert report.requests <= floor + repeated + 4  # the newest page, and half a page for each slice
    assert report.counts.fetched <= ROWS + floor + repeated + 3 * CAP


def test_b11_a_run_without_news_costs_one_request_for_each_list(large):
    large.sync()
    large.world.now += 4 * HOUR
    assert large.sync().requests == 1


def test_b11_a_list_of_one_page_is_loaded_with_one_request(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 151))
    assert plant.sync().requests == 1
    assert plant.log() == plant.truth()


def test_b11_a_list_of_two_pages_is_loaded_with_its_two_ends(warehouse):
    plant = Plant(warehouse, cap=20)
    plant.orders(range(1, 31))
    assert plant.sync().requests == 3
    assert plant.log() == plant.truth()


@pytest.mark.parametrize(("table", "readings"), [("work_orders", 1), ("assets", 2)], ids=["by keyset", "by offset"])
def test_b4_an_import_of_one_instant_is_read_twice_only_where_a_row_could_be_hidden(warehouse, table, readings):
    plant = Plant(warehouse, cap=CAP)
    for id_ in range(1, 1001):
        at = START - 60 * 24 * HOUR + (id_ * MINUTE if not 200 <= id_ < 800 else 200 * MINUTE)
        plant.add_order(id_, at, at, table)
    assert plant.sync(table).requests <= (400 + readings * 600) // CAP + 12
    assert plant.log(table) == plant.truth(table)


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("nth", [5, 8, 20, 31])
def test_b4_a_row_deleted_from_an_import_while_it_is_loaded_hides_no_other(warehouse, table, nth):
    plant = Plant(warehouse, cap=CAP)
    for id_ in range(1, 1001):
        at = START - 60 * 24 * HOUR + (id_ * MINUTE if not 200 <= id_ < 800 else 200 * MINUTE)
        plant.add_order(id_, at, at, table)
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete(table, 201), path=table.replace("_", ""), nth=nth)
    plant.sync(table)
    assert {id_: row for id_, row in plant.log(table).items() if id_ != 201} == plant.truth(table)


def test_b5_a_cursor_that_expires_inside_a_group_of_one_instant_does_not_stop_the_load(warehouse):
    plant = Plant(warehouse, cap=CAP)
    plant.orders(range(1, 201), updated=START - 5 * HOUR)
    plant.sync()
    plant.change_all(range(1, 101), "imported")
    plant.simulator.faults.add("expired_cursor", path="workorders", times=1)
    plant.sync()
    assert plant.log() == plant.truth()

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
    assert report.requests <= floor + repeated + 5  # the newest page, what changed meanwhile, and half a page for each slice
    assert report.counts.fetched <= ROWS + floor + repeated + 3 * CAP


def test_b11_a_run_without_news_costs_one_request_for_each_list(large):
    large.sync()
    large.world.now += 4 * HOUR
    assert large.sync().requests == 1


def test_b11_a_list_of_one_page_is_loaded_with_two_requests(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 151))
    assert plant.sync().requests == 2
    assert plant.log() == plant.truth()


def test_b11_a_list_of_two_pages_is_loaded_with_its_two_ends(warehouse):
    plant = Plant(warehouse, cap=20)
    plant.orders(range(1, 31))
    assert plant.sync().requests == 4
    assert plant.log() == plant.truth()

"""Cursors that expire, stand still or go round, pages that are shorter than they should be, limits that are not taken."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.errors import BadRequest, EndlessWalk, NotFound
from simulator.api import Response, Simulator
from simulator.transport import transport
from tests.faults.plant_builder import Plant
from tests.scripted import Script, answer, orders, read

PLACES = range(1, 31)


@pytest.mark.parametrize("action", ["expired_cursor", "not_found"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_b5_a_cursor_that_expires_at_any_page_costs_one_new_start(plant, action, nth):
    plant.locations(PLACES)
    plant.simulator.faults.add(action, path="/locations", nth=nth + 1 if action == "not_found" else nth)
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize(("action", "error"), [("expired_cursor", BadRequest), ("not_found", NotFound)])
def test_b5_a_cursor_that_expires_again_and_again_ends_in_an_error_and_deletes_nothing(plant, action, error):
    plant.locations(PLACES)
    plant.sync("locations")
    before, sent = plant.log("locations"), plant.simulator.requests["locations"]
    plant.simulator.faults.add(action, path="/locations", page=2, times=None)
    with pytest.raises(error):
        plant.sync("locations")
    assert plant.simulator.requests["locations"] - sent <= 4
    assert plant.log("locations") == before


def test_b5_a_walk_by_values_needs_no_cursor_at_all(plant):
    plant.simulator.faults.add("expired_cursor", path="/workorders", times=None)
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("length", [1, 2], ids=["the same cursor", "two by turns"])
def test_b6_cursors_that_go_round_end_the_reading_after_one_round(length):
    cursors = [str(n % length) for n in range(50)]
    script = Script(*[orders(n, cursor=cursor) for n, cursor in enumerate(cursors, 1)])
    with pytest.raises(EndlessWalk, match="again"):
        read(script)
    assert len(script.asked) == length + 1


def test_b6_a_frozen_cursor_ends_a_whole_reading_and_the_next_run_reads_it_all(plant):
    plant.locations(PLACES)
    plant.simulator.faults.add("repeated_cursor", path="/locations", page=2, times=None)
    with pytest.raises(EndlessWalk):
        plant.sync("locations")
    assert plant.simulator.requests["locations"] <= 4
    plant.simulator.faults.clear()
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


def test_b7_a_full_last_page_without_a_cursor_is_the_end():
    script = Script(orders(1, 2, cursor="a"), orders(3, 4))
    assert [len(page.records) for page in read(script)] == [2, 2]
    assert len(script.asked) == 2


class ShortPages(Simulator):
    """A MaintainX whose pages hold fewer rows than there are, and at times none, and still have a cursor."""

    sizes: Sequence[int] = (3, 0, 1, 7, 0, 0, 2)
    served = 0

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        size = self.sizes[self.served % len(self.sizes)]
        self.served += 1
        given = dict(query)
        if not size and "cursor" in given:
            envelope = {"locations": [], "nextCursor": given["cursor"] + "=", "nextPageUrl": None}
            return Response(200, super().respond(method, path, query, headers).headers, json.dumps(envelope).encode())
        padded = [(name, value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4) if name == "cursor" else value) for name, value in query]
        asked = [(name, str(max(size, 1)) if name == "limit" else value) for name, value in padded]
        return super().respond(method, path, asked, headers, body)


def test_b7_short_and_empty_pages_with_a_cursor_are_read_to_the_end(plant):
    plant.locations(PLACES)
    simulator = ShortPages(plant.world, plant.options)
    with MaintainX("http://mx/v1", f"demo-{plant.organisation}", transport=transport(simulator)) as source:
        pages = list(source.pages("/locations", "locations", [("limit", "200")]))
    assert [json.loads(record)["id"] for page in pages for record in page.records] == list(PLACES)
    assert 0 in [len(page.records) for page in pages]


class Picky(Simulator):
    """A MaintainX that refuses pages above a size, in its own words."""

    largest = 100
    words: Mapping[str, Any] = {}

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        if int(dict(query).get("limit", 0)) > self.largest:
            super().respond(method, path, query, headers, body)
            return Response(400, {}, json.dumps(self.words).encode())
        return super().respond(method, path, query, headers, body)


REFUSALS = {
    "100, named": (100, {"errors": [{"error": "must be <= 100", "fieldPath": "limit", "fieldValue": 200}]}, 1),
    "25, named": (25, {"errors": [{"error": "must be <= 25", "fieldPath": "limit", "fieldValue": 200}]}, 1),
    "100, in words": (100, {"error": "limit must not exceed 100"}, 1),
    "25, not named": (25, {"error": "'200' is not a valid limit"}, 3),
}


@pytest.mark.parametrize(("largest", "words", "refused"), REFUSALS.values(), ids=REFUSALS)
def test_b8_a_limit_that_is_refused_is_asked_for_smaller_and_remembered(plant, largest, words, refused):
    simulator = Picky(plant.world, plant.options)
    simulator.largest, simulator.words = largest, words
    with MaintainX("http://mx/v1", f"demo-{plant.organisation}", transport=transport(simulator)) as source:
        for _ in range(3):
            pages = list(source.pages("/workorders", "workOrders", [("limit", "200"), ("show_upcoming", "true")]))
            assert sum(len(page.records) for page in pages) == 40
        assert source.requests == refused + 3 * -(-40 // largest)


@pytest.mark.parametrize(
    "words", [{"error": "the limit of your plan"}, {"errors": [{"error": "must be <= 0", "fieldPath": "limit"}]}], ids=["plan", "zero"]
)
def test_b8_a_refusal_of_every_limit_ends_after_a_few_requests(words):
    script = Script(answer(words, 400))
    with pytest.raises(BadRequest):
        read(script)
    assert len(script.asked) <= 6


@pytest.mark.parametrize("cap", [100, 25, 7])
@pytest.mark.parametrize("table", ["work_orders", "locations"])
def test_b8_pages_that_are_cut_to_a_smaller_size_without_a_word_lose_nothing(warehouse, cap, table):
    plant = Plant(warehouse, cap=cap)
    plant.orders(range(1, 121))
    plant.locations(range(1, 121))
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)

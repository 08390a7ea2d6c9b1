"""The labour sweep: what is entered on an order without moving its updatedAt is read within the hour; old orders wait for the night."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project import labour, reconcile, sync
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.visit import EndpointReport
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.api import Response, Simulator
from tests.small_world import NORTHFIELD, NOW, ago, client_of, company, new_warehouse, order, run, stored
from tests.small_world import labour as time_entry

ORDERS = BY_TABLE["work_orders"]
SOON = NOW + timedelta(hours=1)
FRESH = order(99, updatedAt=ago(minutes=5))  # so that the others are older than the overlap


class SmallPages(Simulator):
    """A MaintainX that gives two rows a page, whatever is asked."""

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        capped = [(name, "2" if name == "limit" else value) for name, value in query]
        return super().respond(method, path, capped, headers, body)


class Unsorted(Simulator):
    """A MaintainX that does not sort by completedAt."""

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        return super().respond(method, path, [pair for pair in query if pair != ("sort", "-completedAt")], headers, body)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with new_warehouse(tmp_path) as opened:
        yield opened


def done(record_id: int, days: float, **fields: Any) -> dict[str, Any]:
    """Return an order that was done so many days ago and not touched since."""
    return order(
        record_id, status="DONE", completedAt=ago(days=days), updatedAt=ago(days=days), **{"createdAt": ago(days=days + 1), **fields}
    )


def synced(warehouse: DuckDBWarehouse, simulator: Simulator) -> EndpointReport:
    with client_of(simulator) as client:
        return sync.sync(ORDERS, client, warehouse, run("sync"))


def swept(warehouse: DuckDBWarehouse, simulator: Simulator, run_id: str = "sweep") -> EndpointReport:
    with client_of(simulator) as client:
        return labour.sweep(ORDERS, client, warehouse, run(run_id, SOON))


def entered(simulator: Simulator, *ids: int) -> None:
    """Enter half an hour on some orders; their updatedAt stays."""
    for record_id in ids:
        simulator.world.whisper("work_orders", NORTHFIELD, record_id, timeItems=[time_entry(1800, 900)])


def test_labour_on_an_order_at_work_or_done_lately_is_read_and_an_older_one_is_left_to_the_reconciliation(warehouse):
    simulator = SmallPages(company(work_orders=[order(1), done(2, days=7), done(3, days=20), done(4, days=16), FRESH]))
    synced(warehouse, simulator)
    entered(simulator, 1, 2, 3)
    assert synced(warehouse, simulator).counts.updated == 0
    report = swept(warehouse, simulator)
    assert (report.kind, report.counts.fetched, report.counts.updated) == ("labour", 4, 2)
    assert stored(warehouse, "raw.work_order_time_items", "id, duration_seconds") == [(1, 1800), (2, 1800)]
    with client_of(simulator) as client:
        found = reconcile.reconcile(ORDERS, client, warehouse, run("night", SOON))
    assert (found.stale, found.late_rows, found.status) == (1, 0, "healed")
    assert stored(warehouse, "raw.work_order_time_items", "id") == [(1,), (2,), (3,)]


def test_a_sweep_is_an_endpoint_run_of_its_own_and_leaves_the_watermark_of_the_sync(warehouse):
    simulator = Simulator(company(work_orders=[order(1), FRESH]))
    synced(warehouse, simulator)
    before = warehouse.states(NORTHFIELD, "work_orders")
    entered(simulator, 1)
    swept(warehouse, simulator)
    assert warehouse.states(NORTHFIELD, "work_orders") == before
    columns = "endpoint, kind, status, fetched, updated, requests"
    assert stored(warehouse, "ops.endpoint_runs where kind = 'labour'", columns) == [("work_orders", "labour", "ok", 2, 1, 2)]
    assert swept(warehouse, simulator, "again").counts.unchanged == 2


@pytest.mark.parametrize(("at_work", "lately", "longer", "requests"), [(0, 0, 0, 2), (3, 5, 1000, 2), (450, 250, 1000, 5)])
def test_a_sweep_costs_one_request_for_200_orders_however_long_the_history_is(warehouse, at_work, lately, longer, requests):
    numbers = iter(range(1, 2000))
    orders = [order(next(numbers)) for _ in range(at_work)]
    orders += [done(next(numbers), days=1 + place / 100) for place in range(lately)]
    orders += [done(next(numbers), days=60 + place / 100) for place in range(longer)]
    simulator = Simulator(company(work_orders=orders))
    synced(warehouse, simulator)
    assert swept(warehouse, simulator).requests == requests


def test_a_sweep_is_due_when_its_hours_are_over_and_when_the_clock_went_back(warehouse):
    every, hour = timedelta(hours=2), timedelta(hours=1)
    assert labour.is_due(warehouse, run(), every)
    labour.note(warehouse, run())
    due = {hours: labour.is_due(warehouse, run(now=NOW + hours * hour), every) for hours in (0, 1.5, 1.95, 2, -1)}
    assert due == {0: False, 1.5: False, 1.95: True, 2: True, -1: True}
    assert labour.is_due(warehouse, run(), timedelta(0))


def test_done_orders_that_do_not_say_when_are_passed_over(warehouse):
    undated = [order(number, status="DONE") for number in range(1, 251)]
    simulator = Simulator(company(work_orders=[*undated, done(300, days=3), done(301, days=90)]))  # which sorts nulls first
    synced(warehouse, simulator)
    entered(simulator, 300)
    report = swept(warehouse, simulator)
    assert (report.counts.updated, report.reason) == (1, None)


def test_a_sweep_does_not_look_for_ever_for_an_order_that_says_when_it_was_done(warehouse, monkeypatch):
    monkeypatch.setattr(labour, "MOST_UNDATED_PAGES", 2)
    simulator = Simulator(company(work_orders=[order(number, status="DONE") for number in range(1, 801)]))
    synced(warehouse, simulator)
    report = swept(warehouse, simulator)
    assert report.counts.fetched == 400
    assert report.reason == "2 pages of done orders without a completedAt: those done lately were not all swept"


def test_b9_a_list_that_is_not_sorted_by_completion_is_swept_whole(warehouse):
    simulator = Unsorted(
        company(
            work_orders=[
                order(1),
                done(2, days=3),
                done(3, days=90, createdAt=ago(days=91)),
                done(4, days=5, createdAt=ago(days=99)),
                FRESH,
            ]
        )
    )
    synced(warehouse, simulator)
    entered(simulator, 1, 2, 3, 4)
    report = swept(warehouse, simulator)
    assert report.reason == "the whole list was read instead: rows asked for in descending order of completedAt came in another order"
    assert stored(warehouse, "raw.work_order_time_items", "id") == [(1,), (2,), (3,), (4,)]

"""Reconciliation: what differs from the source is found, counted and healed; nothing is deleted that the source still has."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project import reconcile, rolling, sync
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.maintainx.errors import Forbidden
from dagster_project.reconcile import Comparison
from dagster_project.sync import Breaker, EndpointReport
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.api import Response, Simulator
from simulator.instants import from_datetime
from simulator.world import World
from tests.small_world import NORTHFIELD, NOW, ago, client_of, company, labour, new_warehouse, order, run, status, stored

NIGHT = NOW + timedelta(hours=24)
FINDINGS = ("missing", "ghost", "stale", "healed", "deleted")


FRESH = order(99, updatedAt=ago(minutes=5))  # so that the others are older than the overlap


class SmallPages(Simulator):
    """A MaintainX that gives two rows a page, whatever is asked."""

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        capped = [(name, "2" if name == "limit" else value) for name, value in query]
        return super().respond(method, path, capped, headers, body)


class Hiding(Simulator):
    """A MaintainX whose list never shows location 2, though it can be read by its id."""

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        response = super().respond(method, path, query, headers, body)
        if path.endswith("/locations"):
            response.body = response.body.replace(b'{"id":2,"name":"Place 2"},', b"")
        return response


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with new_warehouse(tmp_path) as opened:
        yield opened


def synced(warehouse: DuckDBWarehouse, simulator: Simulator, table: str = "work_orders", now: datetime = NOW) -> EndpointReport:
    """Sync one endpoint of Northfield."""
    with client_of(simulator) as client:
        return sync.sync(BY_TABLE[table], client, warehouse, run("sync", now))


def reconciled(
    warehouse: DuckDBWarehouse, simulator: Simulator, table: str = "work_orders", now: datetime = NIGHT, is_full: bool = True, **fields: Any
) -> Comparison:
    """Reconcile one endpoint of Northfield; what is not full has hardly a request to spend."""
    with client_of(simulator) as client:
        return reconcile.reconcile(BY_TABLE[table], client, warehouse, run(f"at {now}", now, **fields), is_full, requests_a_day=0)


def findings(found: Comparison) -> dict[str, int]:
    """Return what was found, without what is 0."""
    return {name: number for name in FINDINGS if (number := getattr(found, name))}


def closed(record_id: int, **fields: Any) -> dict[str, Any]:
    """Return an order that was done two months ago."""
    return order(record_id, status="DONE", completedAt=ago(days=59), **fields)


def world_of(*orders: dict[str, Any], **more: Any) -> World:
    return company(work_orders=orders, **more)


# what is found


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "rolling"])
def test_where_nothing_differs_the_source_matches(warehouse, is_full):
    simulator = Simulator(world_of(order(1, timeItems=[labour(600, 500)]), closed(2, expenditures=[{"rowTotal": 250}])))
    synced(warehouse, simulator)
    found = reconciled(warehouse, simulator, is_full=is_full)
    assert (found.status, findings(found)) == ("matched", {})
    row = warehouse.query("select * from ops.reconciliation").to_dicts()[0]
    assert row == {
        "run_id": f"at {NIGHT}", "organisation_id": NORTHFIELD, "endpoint": "work_orders", "reconciled_at": NIGHT,
        "scope": "full" if is_full else "rolling", "source_rows": 2, "raw_rows": 2, **dict.fromkeys(FINDINGS, 0), "late_rows": 0,
        "source_ids": 2, "live_rows": 2, "generation": 1 if is_full else None,
        "source_labour_seconds": 600, "raw_labour_seconds": 600, "source_cost_cents": 750, "raw_cost_cents": 750,
        "requests": 1 if is_full else 3, "status": "matched", "reason": None,
    }  # fmt: skip
    assert stored(warehouse, "raw.work_orders", "id, version_number") == [(1, 1), (2, 1)]


def test_labour_added_without_moving_the_stamp_is_found_stale_and_healed(warehouse):
    world = world_of(closed(1, timeItems=[labour(600, 500)]), closed(2), FRESH)
    simulator = Simulator(world)
    synced(warehouse, simulator)
    world.whisper("work_orders", NORTHFIELD, 2, timeItems=[labour(1800, 900)], expenditures=[{"rowTotal": 50}])
    assert synced(warehouse, simulator).counts.updated == 0
    found = reconciled(warehouse, simulator)
    assert (found.status, findings(found)) == ("healed", {"stale": 1, "healed": 1})
    sums = (found.source_labour_seconds, found.raw_labour_seconds, found.source_cost_cents, found.raw_cost_cents)
    assert sums == (2400, 600, 1450, 500)
    assert stored(warehouse, "raw.work_order_time_items", "id, version_number, duration_seconds") == [(1, 1, 600), (2, 2, 1800)]
    again = reconciled(warehouse, simulator, now=NIGHT + timedelta(days=1))
    assert (again.status, findings(again), again.raw_labour_seconds, again.raw_cost_cents) == ("matched", {}, 2400, 1450)


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "rolling"])
def test_a_record_that_is_gone_is_confirmed_by_its_id_and_buried(warehouse, is_full):
    world = world_of(order(1, timeItems=[labour(600)]), order(2), order(3))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    world.delete("work_orders", NORTHFIELD, 1)
    found = reconciled(warehouse, simulator, is_full=is_full)
    assert (found.status, findings(found)) == ("healed", {"ghost": 1, "deleted": 1, "healed": 1})
    assert (found.source_rows, found.raw_rows, found.source_labour_seconds, found.raw_labour_seconds) == (2, 3, 0, 600)
    assert simulator.requests["workorders/1"] == 1
    assert stored(warehouse, "raw.work_orders", "id, version_number, cause") == [
        (1, 1, "first"), (1, 2, "delete"), (2, 1, "first"), (3, 1, "first")
    ]  # fmt: skip


def test_a_record_that_the_sync_never_saw_is_missing_and_loaded(warehouse):
    world = world_of(order(1), FRESH)
    simulator = Simulator(world)
    synced(warehouse, simulator)
    world.add("work_orders", NORTHFIELD, closed(3, timeItems=[labour(60)]))  # backdated: no walk by updatedAt comes so far back
    assert synced(warehouse, simulator).counts.inserted == 0
    found = reconciled(warehouse, simulator)
    assert (found.status, findings(found), found.source_rows, found.raw_rows) == ("healed", {"missing": 1, "healed": 1}, 3, 2)
    assert findings(reconciled(warehouse, simulator)) == {}


def test_a_record_that_came_back_from_the_dead_is_missing_and_undeleted(warehouse):
    world = world_of(order(1), order(2), order(3))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    record = dict(world.get("work_orders", NORTHFIELD, 1) or {})
    world.delete("work_orders", NORTHFIELD, 1)
    reconciled(warehouse, simulator)
    world.add("work_orders", NORTHFIELD, record)
    found = reconciled(warehouse, simulator)
    assert (findings(found), found.source_rows, found.raw_rows) == ({"missing": 1, "healed": 1}, 3, 2)
    assert stored(warehouse, "raw.work_orders", "version_number, cause", "id, version_number")[:3] == [
        (1, "first"), (2, "delete"), (3, "undelete")
    ]  # fmt: skip


def test_what_changed_since_the_last_sync_is_news_and_no_difference(warehouse):
    world = world_of(order(1, updatedAt=ago(hours=1)), order(2))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    world.now = from_datetime(NIGHT)
    world.change("work_orders", NORTHFIELD, 2, title="News")
    world.add("work_orders", NORTHFIELD, order(3, createdAt=ago(hours=-1)))
    found = reconciled(warehouse, simulator)
    assert (found.status, findings(found), found.source_rows, found.raw_rows) == ("matched", {}, 1, 1)
    assert stored(warehouse, "raw.work_orders", "id, title", "id, version_number") == [
        (1, "Order 1"), (2, "Order 2"), (2, "News"), (3, "Order 3")
    ]  # fmt: skip


def test_a_row_that_the_list_shows_as_deleted_is_a_ghost(warehouse):
    world = world_of(order(1, timeItems=[labour(60)]), order(2))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    world.whisper("work_orders", NORTHFIELD, 1, deletedAt=ago(hours=1))
    found = reconciled(warehouse, simulator)
    assert (found.status, findings(found)) == ("healed", {"ghost": 1, "deleted": 1, "healed": 1})
    assert (found.source_rows, found.raw_rows, found.source_labour_seconds, found.raw_labour_seconds) == (1, 2, 0, 60)
    again = reconciled(warehouse, simulator)
    assert (findings(again), again.source_rows, again.raw_rows) == ({}, 1, 1)


def test_a_row_in_quarantine_is_neither_gone_nor_compared(warehouse):
    world = world_of(order(1), order(2), order(3))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    world.whisper("work_orders", NORTHFIELD, 1, title=5)
    found = reconciled(warehouse, simulator)
    assert (found.status, findings(found), found.source_rows, found.raw_rows) == ("matched", {}, 2, 2)
    assert warehouse.live("work_orders", NORTHFIELD)["id"].to_list() == [1, 2, 3]


# what is read


def test_the_rolling_comparison_reads_what_is_open_and_what_is_recent_every_night(warehouse, monkeypatch):
    monkeypatch.setattr(rolling, "PAGE_ROWS", 3)
    old, recent = ago(days=50), ago(days=3)
    world = world_of(
        *(closed(number, createdAt=ago(days=60)) for number in (1, 2, 3)),
        closed(50, createdAt=old, updatedAt=old), order(51, createdAt=old), closed(52, createdAt=old, updatedAt=recent),
    )  # fmt: skip
    simulator = Simulator(world)
    synced(warehouse, simulator)
    for record_id in (50, 51, 52):
        world.whisper("work_orders", NORTHFIELD, record_id, timeItems=[labour(60)])
    found = reconciled(warehouse, simulator, is_full=False)
    assert (found.scope, findings(found)) == ("rolling", {"stale": 2, "healed": 2})
    assert stored(warehouse, "raw.work_order_time_items", "id") == [(51,), (52,)]


def test_the_rolling_comparison_reads_all_of_history_part_by_part_and_then_begins_anew(warehouse, monkeypatch):
    monkeypatch.setattr(rolling, "PAGE_ROWS", 4)
    orders = [closed(number, createdAt=ago(days=90 - number / 2), updatedAt=ago(days=45)) for number in range(1, 81)]
    world = world_of(*orders)
    simulator = Simulator(world)
    synced(warehouse, simulator)
    for number in range(1, 81):
        world.whisper("work_orders", NORTHFIELD, number, timeItems=[labour(number)])
    nights = [reconciled(warehouse, simulator, now=NOW + timedelta(days=day), is_full=False) for day in range(1, 31)]
    assert sum(found.stale for found in nights) == 80
    assert max(found.source_rows for found in nights) == 4
    assert findings(reconciled(warehouse, simulator, now=NOW + timedelta(days=40))) == {}


def test_an_order_that_silently_left_the_scope_is_read_again_and_counted_once(warehouse, monkeypatch):
    monkeypatch.setattr(rolling, "PAGE_ROWS", 1)
    world = world_of(closed(1), *(order(number, createdAt=ago(days=20)) for number in (2, 3)))
    simulator = Simulator(world)
    synced(warehouse, simulator, now=NOW + timedelta(days=40))
    world.whisper("work_orders", NORTHFIELD, 2, status="DONE", timeItems=[labour(60)])
    found = reconciled(warehouse, simulator, now=NOW + timedelta(days=41), is_full=False)
    assert (found.status, findings(found)) == ("healed", {"stale": 1, "healed": 1})
    assert (found.source_rows, found.raw_rows, found.source_labour_seconds, found.raw_labour_seconds) == (3, 3, 60, 0)
    assert simulator.requests["workorders/2"] == 1


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_deletion_between_two_pages_hides_no_other_record(warehouse, nth):
    world = company(locations=[{"id": number, "name": f"Place {number}"} for number in range(1, 7)])
    simulator = SmallPages(world)
    synced(warehouse, simulator, "locations")
    simulator.faults.add("mutate", path="locations", nth=nth, callback=lambda: world.delete("locations", NORTHFIELD, 1))
    found = reconciled(warehouse, simulator, "locations")
    late = nth > 1  # already read when it was deleted: the next night's
    assert (found.status, findings(found)) == (("matched", {}) if late else ("healed", {"ghost": 1, "deleted": 1, "healed": 1}))
    assert (found.source_rows, found.raw_rows) == (6 if late else 5, 6)
    assert warehouse.live("locations", NORTHFIELD)["id"].to_list() == list(range(1 if late else 2, 7))


def test_a_record_that_no_list_shows_but_its_id_does_is_a_difference_and_stays(warehouse):
    world = company(locations=[{"id": number, "name": f"Place {number}"} for number in (1, 2, 3)])
    synced(warehouse, Simulator(world), "locations")
    found = reconciled(warehouse, Hiding(world), "locations")
    assert (found.status, found.reason, findings(found)) == ("differs", "record 2 exists by its id, but no list shows it", {})
    assert (found.source_rows, found.raw_rows) == (2, 3)
    assert warehouse.live("locations", NORTHFIELD)["id"].to_list() == [1, 2, 3]


def test_a_status_that_is_gone_is_confirmed_by_the_list_of_its_asset(warehouse):
    world = company(asset_statuses=[status(1), status(2, assetId=2), status(3, assetId=2)])
    simulator = Simulator(world)
    synced(warehouse, simulator, "asset_statuses")
    world.delete("asset_statuses", NORTHFIELD, 3)
    requests = simulator.requests["assetstatuses"]
    found = reconciled(warehouse, simulator, "asset_statuses")
    assert (found.status, findings(found)) == ("healed", {"ghost": 1, "deleted": 1, "healed": 1})
    assert simulator.requests["assetstatuses"] - requests == 2
    assert warehouse.live("asset_statuses", NORTHFIELD)["id"].to_list() == [1, 2]


def test_a_share_that_does_not_reach_all_of_history_in_a_month_is_said_in_the_reason(warehouse, monkeypatch):
    monkeypatch.setattr(rolling, "PAGE_ROWS", 2)
    simulator = Simulator(world_of(*(closed(number) for number in range(1, 81))))
    synced(warehouse, simulator)
    found = reconciled(warehouse, simulator, now=NOW + timedelta(days=40), is_full=False)
    assert (found.scope, found.status, found.reason) == (
        "rolling", "matched", "at RECONCILE_SHARE all of history is compared in 41 days, not in 30: raise it to find deletions sooner"
    )  # fmt: skip


def test_a_comparison_spends_what_the_others_of_the_day_have_left(warehouse, monkeypatch):
    monkeypatch.setattr(rolling, "PAGE_ROWS", 2)
    simulator = Simulator(world_of(*(closed(number) for number in range(1, 81))))
    synced(warehouse, simulator)
    with client_of(simulator) as client:
        scopes = [
            reconcile.reconcile(BY_TABLE["work_orders"], client, warehouse, run(f"at {hour}", NOW + timedelta(hours=hour)), False, 41).scope
            for hour in (0, 1, 24)
        ]
    assert scopes == ["full", "rolling", "full"]


# the breaker


def test_mass_absence_deletes_nothing_until_it_is_accepted(warehouse):
    world = world_of(*(order(number) for number in range(1, 101)))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    for number in range(1, 52):
        world.delete("work_orders", NORTHFIELD, number)
    with pytest.raises(Breaker, match=r"51 of 100 known records are absent.*Nothing was deleted.*--accept work_orders"):
        reconciled(warehouse, simulator)
    assert warehouse.live("work_orders", NORTHFIELD).height == 100
    assert simulator.requests["workorders/1"] == 0
    found = reconciled(warehouse, simulator, accepted=frozenset({"work_orders"}))
    assert findings(found) == {"ghost": 51, "deleted": 51, "healed": 51}
    assert warehouse.live("work_orders", NORTHFIELD)["id"].to_list() == list(range(52, 101))


def test_fifty_of_many_may_go_without_a_word(warehouse):
    world = world_of(*(order(number) for number in range(1, 101)))
    simulator = Simulator(world)
    synced(warehouse, simulator)
    for number in range(1, 51):
        world.delete("work_orders", NORTHFIELD, number)
    assert findings(reconciled(warehouse, simulator)) == {"ghost": 50, "deleted": 50, "healed": 50}


def test_a_list_that_is_suddenly_empty_deletes_nothing_even_where_one_record_was_known(warehouse):
    world = company(vendors=[{"id": 1, "name": "Acme"}, {"id": 2, "name": "Belts"}])
    simulator = Simulator(world)
    synced(warehouse, simulator, "vendors")
    simulator.faults.add("empty", path="vendors")
    with pytest.raises(Breaker, match="2 of 2 known records are absent"):
        reconciled(warehouse, simulator, "vendors")
    world.delete("vendors", NORTHFIELD, 1)
    assert findings(reconciled(warehouse, simulator, "vendors")) == {"ghost": 1, "deleted": 1, "healed": 1}
    world.delete("vendors", NORTHFIELD, 2)
    with pytest.raises(Breaker, match="1 of 1 known records are absent"):
        reconciled(warehouse, simulator, "vendors")
    accepted = reconciled(warehouse, simulator, "vendors", accepted=frozenset({"vendors"}))
    assert findings(accepted) == {"ghost": 1, "deleted": 1, "healed": 1}


# when, and what is written


def test_an_optional_list_that_the_plan_lacks_is_skipped_and_a_required_one_is_an_error(warehouse):
    simulator = Simulator(company(vendors=[{"id": 1, "name": "Acme"}]))
    for path in ("vendors", "workorders"):
        simulator.faults.add("forbidden", path=path, times=None)
    found = reconciled(warehouse, simulator, "vendors")
    assert found.report is not None
    assert (found.report.status, found.report.kind) == ("skipped", "reconcile")
    assert stored(warehouse, "ops.endpoint_runs", "endpoint, kind, status") == [("vendors", "reconcile", "skipped")]
    assert stored(warehouse, "ops.reconciliation") == []
    with pytest.raises(Forbidden):
        reconciled(warehouse, simulator)


def test_a_reconciliation_is_due_a_day_after_the_last_that_did_not_fail(warehouse):
    endpoint, simulator = BY_TABLE["vendors"], Simulator(company(vendors=[{"id": 1, "name": "Acme"}]))
    assert reconcile.is_due(endpoint, warehouse, run())
    reconciled(warehouse, simulator, "vendors", now=NOW)
    failed = {"run_id": "x", "organisation_id": NORTHFIELD, "endpoint": "vendors", "reconciled_at": NIGHT, "status": "failed"}
    warehouse.insert("reconciliation", [failed])
    due = {hours: reconcile.is_due(endpoint, warehouse, run(now=NOW + timedelta(hours=hours))) for hours in (0, 22.9, 23, 48)}
    assert due == {0: False, 22.9: False, 23: True, 48: True}
    assert reconcile.is_due(BY_TABLE["teams"], warehouse, run())


def test_a_complete_first_load_counts_as_a_reconciliation(warehouse):
    simulator = Simulator(world_of(order(1), order(2, title=5), order(3)))
    found = reconcile.first_load(synced(warehouse, simulator), warehouse, run())
    assert (found.scope, found.status, found.source_rows, found.raw_rows) == ("first_load", "matched", 2, 2)
    assert not reconcile.is_due(BY_TABLE["work_orders"], warehouse, run())


def test_the_same_run_again_replaces_its_row(warehouse):
    simulator = Simulator(world_of(order(1)))
    synced(warehouse, simulator)
    for _ in range(2):
        reconciled(warehouse, simulator)
    assert len(stored(warehouse, "ops.reconciliation")) == 1

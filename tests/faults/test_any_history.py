"""Any history of the source, read with any crashes, ends in the truth."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project import failpoint
from dagster_project.warehouse.base import BatchSize
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.instants import HOUR, MINUTE, iso
from tests.faults.plant_builder import START, Plant


def happening(pick: int, n: int) -> Callable[[Plant, str], None]:
    """Return one change of the source, chosen among those that are possible then."""

    def change(plant: Plant, table: str) -> None:
        ids = sorted(plant.world.table(table, plant.organisation).rows.encoded)
        free = [id_ for id_ in range(1, 9) if id_ not in ids]
        plant.world.advance(timedelta(milliseconds=pick % 3))
        now, late = plant.world.now, iso(plant.world.now - (n % 170) * MINUTE)
        some = ids[n % len(ids)] if ids else 1
        menu: list[Callable[[], None]] = []
        if ids:
            menu = [
                lambda: plant.change(table, some, title=f"change {n} {pick}"),
                lambda: plant.whisper(table, some, title=f"late {n} {pick}", updatedAt=late),
                lambda: plant.whisper(table, some, timeItems=[{"type": "TIME", "durationTotal": n}]),
                lambda: plant.delete(table, some),
                lambda: plant.change_all(ids[n % len(ids) :][:4], f"bulk {n} {pick}", table),
            ]
        if free:
            menu.append(lambda: plant.add_order(free[n % len(free)], now, now, table))
        menu[pick % len(menu)]()

    return change


CHANGES = st.builds(happening, st.integers(0, 100), st.integers(0, 10_000))
SYNCS = st.tuples(st.lists(st.none() | CHANGES, max_size=8), st.sampled_from([None, 1, 1, 2, 3, 5]), st.integers(0, 600))
ROUNDS = {
    "rounds": st.lists(SYNCS, min_size=1, max_size=4),
    "cap": st.sampled_from([1, 2, 3, 200]),
    "table": st.sampled_from(["work_orders", "assets"]),
}
OWN_ORGANISATION = [HealthCheck.function_scoped_fixture]  # each example has an organisation of its own


@given(**ROUNDS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=OWN_ORGANISATION)
def test_any_history_read_with_any_crashes_ends_in_the_truth(warehouse, monkeypatch, rounds, cap, table):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(3, 2**24, 30.0))
    live_through(Plant(warehouse, cap), rounds, table)


@pytest.mark.slow
@given(**ROUNDS)
@settings(max_examples=1000, deadline=None, suppress_health_check=[*OWN_ORGANISATION, HealthCheck.too_slow])
def test_a_thousand_histories_read_with_any_crashes_end_in_the_truth(warehouse, monkeypatch, rounds, cap, table):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(3, 2**24, 30.0))
    live_through(Plant(warehouse, cap), rounds, table)


def crash(nth: int | None) -> failpoint.Action:
    """Return what raises at the nth place of those around the commits of batches; nothing ever when None."""
    reached = count(1)

    def act(name: str) -> None:
        if name in ("sync.before_batch", "sync.after_batch") and next(reached) == nth:
            failpoint.crash(name)

    return act


def live_through(plant: Plant, rounds: Any, table: str) -> None:
    """Sync after each round, with changes between the requests and a crash at a commit; compare with the source in the end."""
    for id_ in range(1, 7):
        plant.add_order(id_, START - id_ // 2 * 5 * HOUR, START - id_ // 2 * 5 * HOUR, table)
    for inside, crash_at, minutes in rounds:
        pending = iter(inside)

        def meanwhile(pending: Any = pending) -> None:
            change = next(pending, None)
            if change:
                change(plant, table)

        plant.simulator.faults.clear()
        plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), times=None)
        with failpoint.arm(crash(crash_at)), suppress(failpoint.Crashed):
            plant.sync(table)
        plant.simulator.faults.clear()
        plant.world.advance(timedelta(minutes=minutes))
    plant.sync(table)
    log, truth = plant.log(table), plant.truth(table)
    for id_ in truth.keys() - plant.silent:
        assert log.get(id_) == truth[id_]  # by the sync alone: what updatedAt shows is never lost
    plant.reconcile(table)
    assert plant.log(table) == plant.truth(table)
    doubled = f"select id, version_number from raw.{table} where organisation_id = ? group by all having count(*) > 1"
    assert plant.warehouse.query(doubled, [plant.organisation]).is_empty()

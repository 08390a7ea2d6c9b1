"""A short soak: what thirty days do, two days show; and what the comparison calls a difference."""

from itertools import pairwise

import pytest

from benchmarks.comparison import Differences, Watch
from benchmarks.soak import Course, document, soak
from benchmarks.storm import Storm
from benchmarks.turmoil import Turmoil, instants
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator import plant
from simulator.instants import HOUR, from_datetime
from simulator.options import Options
from simulator.world import World

START = from_datetime(plant.DEMO_START)


def stirred(seed: int, busy: int) -> World:
    """Return a world after two days of turmoil, whose readers were busy for so long (milliseconds) after each beginning."""
    world = plant.build(seed, 0.02)
    turmoil = Turmoil(world, world.organisations[0], seed)
    turmoil.settle(50, 50)
    for start, end in pairwise(instants(START + HOUR, 2, 4)):
        turmoil.plan(start, end)
        world.run_until(start)
        for step in range(1, 11):
            world.run_until(start + busy * step // 10)
    return world


def test_j3_two_days_of_syncs_against_a_source_that_changes_and_fails_leave_no_difference() -> None:
    outcome = soak(Course(days=2, scale=0.03, syncs_a_day=4, share=0.02), say=lambda _: None)
    assert outcome.final == Differences()
    assert outcome.failed == []
    assert {"changed silently", "committed late", "deleted", "restored", "stamp went back"} <= outcome.changes_met
    assert outcome.traffic["200"] < outcome.traffic["requests"] < 1.5 * outcome.minimum
    assert "| after a full reconciliation | 0 | 0 | 0 | 0 | 0 |" in list(document(outcome))


@pytest.mark.slow
def test_j3_thirty_days_of_syncs_against_a_source_that_changes_and_fails_leave_no_difference() -> None:
    outcome = soak(Course(scale=0.1))
    assert outcome.final == Differences()
    assert outcome.failed == []


def test_the_same_history_happens_whoever_reads_and_however_often() -> None:
    hasty, slow = stirred(3, 3_000), stirred(3, 5 * HOUR)
    assert [each for each in slow.history("work_orders") if each[2] <= hasty.now] == hasty.history("work_orders")
    assert hasty.history("work_orders") != stirred(4, 3_000).history("work_orders")


def test_the_same_requests_of_a_reading_fail_each_time() -> None:
    def statuses() -> list[int]:
        storm = Storm(plant.build(3, 0.02), Options(), seed=3, share=0.3, clock=lambda: storm.world.now / 1000)
        storm.begin("one")
        return [storm.respond("GET", "/v1/locations", headers={"Authorization": "Bearer demo-101"}).status for _ in range(40)]

    assert statuses() == statuses()
    assert len(set(statuses())) > 3


def test_what_the_log_lacks_is_lost_and_what_only_the_log_has_is_a_ghost() -> None:
    world = plant.build(3, 0.02)
    with DuckDBWarehouse.in_memory() as warehouse:
        watch = Watch(world, world.organisations[0], warehouse)
        watch.start()
        found = watch.look()
    assert found.lost == sum(len(world.table(name, world.organisations[0]).rows.encoded) for name in world.counts())
    assert (found.double, found.stale, found.ghost, found.falsely_deleted) == (0, 0, 0, 0)

"""A source that fails, and a process that dies, at any place: nothing is lost, nothing doubled."""

from datetime import timedelta

import pytest

from dagster_project import failpoint
from dagster_project.maintainx.errors import Forbidden, Unauthorized, Unavailable
from dagster_project.warehouse.base import BatchSize
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from tests.faults.plant_builder import Plant


@pytest.mark.parametrize("action", ["truncated", "cut", "500", "502", "timeout", "429"])
@pytest.mark.parametrize("nth", [1, 8])
def test_a_burst_of_failures_in_any_place_loses_nothing(plant, action, nth):
    plant.simulator.faults.add(action, path="workorders", nth=nth, times=3)
    assert plant.sync().counts.inserted == 40
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", [1, 4, 7])
def test_a_source_that_dies_leaves_what_was_committed_and_the_next_run_goes_on(plant, monkeypatch, nth):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(5, 2**24, 30.0))
    plant.simulator.faults.add("500", path="workorders", nth=nth, times=1000)
    with pytest.raises(Unavailable):
        plant.sync()
    plant.simulator.faults.clear()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 3, title="meanwhile")
    plant.sync()
    assert plant.log() == plant.truth()
    assert all(len(plant.versions(id_)) == 1 for id_ in range(4, 41))


def test_a3_a_source_that_fails_after_every_few_pages_is_read_to_the_end_by_several_runs(plant):
    plant.sync()
    for id_ in range(1, 41):
        plant.world.advance(timedelta(minutes=15))
        plant.change("work_orders", id_, title="changed")
    reached = [plant.watermark()]
    while reached[-1] < plant.world.instant - timedelta(hours=1):
        plant.simulator.faults.add("500", path="workorders", nth=4, times=1000)
        with pytest.raises(Unavailable):
            plant.sync()
        plant.simulator.faults.clear()
        reached.append(plant.watermark())
        assert reached[-1] > reached[-2]
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("table", ["work_orders", "locations"])
@pytest.mark.parametrize("place", ["sync.before_batch", "sync.after_batch"])
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_crash_at_a_batch_leaves_a_log_that_the_next_run_completes(plant, monkeypatch, table, place, nth):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(5, 2**24, 30.0))
    plant.locations(range(1, 41))
    with failpoint.arm(failpoint.at(place, nth, failpoint.crash)), pytest.raises(failpoint.Crashed):
        plant.sync(table)
    plant.world.advance(timedelta(hours=1))
    plant.change(table, 3, title="meanwhile", name="meanwhile")
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)
    assert all(len(plant.versions(id_, table)) == 1 for id_ in range(4, 41))


@pytest.mark.parametrize("place", ["sync.planned", "sync.after_batch", "sync.slices_done"])
def test_f1_a_first_load_of_a_list_that_used_to_be_empty_goes_on_where_it_was_killed(warehouse, place):
    plant = Plant(warehouse, cap=7)
    plant.sync()
    plant.orders(range(1, 41))
    with failpoint.arm(failpoint.at(place, 1, failpoint.crash)), pytest.raises(failpoint.Crashed):
        plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()


def test_syncing_twice_is_syncing_once(plant):
    plant.sync()
    before = plant.warehouse.query("select * from raw.work_orders order by id").rows()
    again = plant.sync()
    assert (again.counts.inserted, again.counts.updated, again.counts.deleted) == (0, 0, 0)
    assert plant.warehouse.query("select * from raw.work_orders order by id").rows() == before


def test_a_revoked_token_stops_at_once_and_deletes_nothing(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("unauthorized", path="locations", page=2)
    with pytest.raises(Unauthorized):
        plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


def test_what_the_plan_lacks_is_skipped_unless_nothing_works_without_it(plant):
    plant.simulator.faults.add("forbidden", path="rootcauseanalysisreports")
    plant.simulator.faults.add("forbidden", path="workorders")
    skipped = plant.sync("rca_reports")
    assert skipped.status == "skipped"
    assert "Forbidden" in (skipped.reason or "")
    with pytest.raises(Forbidden):
        plant.sync()

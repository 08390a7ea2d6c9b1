"""What the sync cannot see, reconciliation finds and heals."""

from datetime import timedelta

import pytest

from dagster_project import failpoint, reconcile, rolling
from dagster_project.breakers import Breaker
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.warehouse.base import BatchSize
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.instants import HOUR, iso
from tests.faults.plant_builder import START, Plant


def crashed(plant: Plant, place: str, nth: int) -> None:
    """Begin a full sweep that dies at the nth time it reaches a place."""
    with pytest.raises(failpoint.Crashed), failpoint.arm(failpoint.at(place, nth, failpoint.crash)):
        plant.reconcile()


def seen(plant: Plant) -> int:
    """Return how many ids the sweep that is under way has noted."""
    return plant.warehouse.query("select count(*) as n from ops.seen where organisation_id = ?", [plant.organisation])["n"].item()


def test_what_updatedat_never_showed_is_found_and_healed_and_then_matches(plant):
    plant.sync()
    plant.whisper("work_orders", 3, timeItems=[{"type": "TIME", "durationTotal": 3600, "rowTotal": 100, "userId": 1}])
    plant.whisper("work_orders", 4, title="silently")
    plant.delete("work_orders", 5)
    found = plant.reconcile()
    assert (found.stale, found.missing, found.ghost, found.status) == (2, 0, 1, "healed")
    assert (found.source_labour_seconds, found.raw_labour_seconds) == (3600, 0)
    assert plant.log() == plant.truth()
    again = plant.reconcile()
    assert (again.stale, again.missing, again.ghost, again.healed, again.status) == (0, 0, 0, 0, "matched")
    assert again.source_labour_seconds == again.raw_labour_seconds == 3600


def test_e3d_a_record_that_only_its_id_finds_is_not_deleted_but_named(plant):
    plant.sync()
    plant.world.table("work_orders", plant.organisation).rows.store(6, None)
    found = plant.reconcile()
    assert (found.status, found.reason) == ("differs", "record 6 exists by its id, but no list shows it")
    assert (found.source_ids, found.live_rows) == (39, 40)
    assert len(plant.log()) == 40


def hide(plant: Plant, *ids: int, table: str = "work_orders") -> None:
    """Let no list show some records that their id still finds."""
    for id_ in ids:
        plant.world.table(table, plant.organisation).rows.store(id_, None)


def test_e3d_many_records_that_only_their_ids_find_are_accepted_once_and_hide_no_deletion(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 301))
    plant.sync()
    hide(plant, *range(1, 121))
    with pytest.raises(Breaker, match="120 of 300 known records are absent"):
        plant.reconcile()
    assert plant.reconcile(accepted=["work_orders"]).deleted == 0
    for day in range(1, 40):
        plant.world.advance(timedelta(days=1))
        plant.delete("work_orders", 200 + day)
        found = plant.reconcile(is_full=False)
        assert (found.status, found.deleted, found.report and found.report.reason) == ("differs", 1, None)
    assert len(plant.log()) == 261


def test_e3d_a_record_that_only_its_id_finds_is_asked_for_now_and_then_and_found_when_it_is_gone(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    hide(plant, 2, table="locations")
    for _ in range(48):
        plant.world.advance(timedelta(hours=1))
        plant.sync("locations")
    asked = plant.simulator.requests["locations/2"]
    for _ in range(48):
        plant.world.advance(timedelta(hours=1))
        plant.sync("locations")
    assert (plant.simulator.requests["locations/2"], asked < 30) == (asked, True)
    plant.locations([2])
    plant.delete("locations", 2)
    plant.world.advance(timedelta(days=7))
    assert plant.sync("locations").counts.deleted == 1


@pytest.mark.parametrize("nth", range(1, 9))
def test_b3_a_delete_while_reconciling_buries_only_what_is_gone(plant, nth):
    plant.sync()
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("work_orders", 2), path="workorders", nth=nth)
    plant.reconcile()
    assert set(plant.truth()) <= set(plant.log())
    plant.reconcile()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("missed", [None, 7])
def test_a_month_of_rolling_reconciliations_reads_all_of_history(warehouse, monkeypatch, missed):
    monkeypatch.setattr(rolling, "PAGE_ROWS", 8)
    plant = Plant(warehouse)
    for id_ in range(1, 201):
        plant.add_order(id_, START - id_ * 25 * HOUR, START - 60 * 24 * HOUR, status="DONE")
    plant.sync()
    for id_ in range(1, 201):
        plant.whisper("work_orders", id_, title="silently")
    for day in range(32):
        plant.world.advance(timedelta(days=1))
        if day != missed:
            plant.reconcile(is_full=False)
    assert plant.log() == plant.truth()


def test_a_reconciliation_costs_a_request_per_page_and_one_per_absentee(warehouse):
    plant = Plant(warehouse)
    for id_ in range(1, 1001):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR)
    plant.sync()
    for id_ in range(1, 11):
        plant.delete("work_orders", id_)
    found = plant.reconcile()
    assert found.ghost == 10
    assert found.report is not None
    assert found.report.requests <= 1000 / 200 + 1 + 10


# a full sweep that is interrupted


@pytest.mark.parametrize("place", ["sync.before_batch", "sync.after_batch"])
@pytest.mark.parametrize("nth", range(1, 8))
def test_f1_a_full_sweep_that_was_killed_goes_on_where_it_was_and_then_judges_what_is_absent(plant, monkeypatch, place, nth):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(7, 2**24, 30.0))
    plant.sync()
    fresh = plant.reconcile()
    for id_ in (3, 30):
        plant.delete("work_orders", id_)
    crashed(plant, place, nth)
    assert len(plant.log()) == 40
    found = plant.reconcile()
    assert (found.ghost, found.source_ids, found.live_rows, found.status) == (2, 38, 38, "healed")
    assert plant.log() == plant.truth()
    assert found.generation == 2
    assert seen(plant) == 0
    assert fresh.report is not None
    assert found.report is not None
    batches_kept = nth - (place == "sync.before_batch")
    assert found.report.requests <= fresh.report.requests + 2 - max(0, batches_kept - 1)


@pytest.mark.parametrize("place", ["sync.before_tombstones", "sync.after_tombstones", "reconcile.generation_done", "sync.reported"])
def test_f1_a_full_sweep_that_was_killed_at_its_end_judges_the_same_when_it_runs_again(plant, place):
    plant.sync()
    plant.delete("work_orders", 3)
    crashed(plant, place, 1)
    again = plant.reconcile()
    assert (again.source_ids, again.live_rows) == (39, 39)
    assert plant.log() == plant.truth()
    assert plant.versions(3) == [(1, "first", False), (2, "delete", True)]


def test_a_sweep_that_was_left_for_more_than_a_day_begins_anew(plant, monkeypatch):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(7, 2**24, 30.0))
    plant.sync()
    crashed(plant, "sync.after_batch", 3)
    assert 0 < seen(plant) < 40
    plant.world.advance(timedelta(days=2))
    for id_ in (1, 2):  # the sweep had seen them
        plant.delete("work_orders", id_)
    found = plant.reconcile()
    assert (found.generation, found.ghost, found.reason) == (2, 2, None)


def test_d_a_sweep_in_which_too_many_are_absent_is_not_gone_on_with(plant):
    plant.sync()
    plant.simulator.faults.add("empty", path="workorders")
    with pytest.raises(Breaker, match="40 of 40"):
        plant.reconcile()
    found = plant.reconcile()
    assert (found.generation, found.status, found.source_ids, found.live_rows) == (2, "matched", 40, 40)


def test_what_is_created_before_the_place_where_a_sweep_stopped_is_not_taken_for_gone(plant, monkeypatch):
    monkeypatch.setattr(DuckDBWarehouse, "batch", BatchSize(7, 2**24, 30.0))
    plant.sync()
    crashed(plant, "sync.after_batch", 4)
    plant.add_order(41, START - 399 * HOUR, START)  # dated back, and read by the sync
    plant.sync()
    found = plant.reconcile()
    assert (found.ghost, found.status, found.source_ids, found.live_rows) == (0, "matched", 41, 41)
    assert plant.log() == plant.truth()


# what came too late for every sync


def test_c2_a_record_that_comes_later_than_the_overlap_is_healed_by_the_sweep_and_counted(plant):
    plant.sync()
    late = plant.world.now - 370 * HOUR  # ten hours below the watermark
    plant.add_order(41, late, late)
    plant.whisper("work_orders", 4, title="committed late", updatedAt=iso(late))
    assert plant.sync().counts.inserted == 0
    found = plant.reconcile()
    assert (found.missing, found.stale, found.late_rows, found.status) == (1, 1, 2, "healed")
    assert found.reason == (
        "2 records came to light after every sync had read past their updatedAt: "
        "the overlap of work_orders, 3 hours, is too short; raise it in endpoints.py"
    )
    assert plant.log() == plant.truth()
    assert plant.reconcile().late_rows == 0


def test_c2_a_record_that_comes_later_by_less_than_the_overlap_is_read_by_the_next_sync(plant):
    plant.sync()
    late = plant.world.now - 362 * HOUR
    plant.add_order(41, late, late)
    assert plant.sync().counts.inserted == 1
    assert plant.reconcile().late_rows == 0


def test_c2_a_change_without_a_stamp_is_not_late(plant):
    plant.sync()
    plant.whisper("work_orders", 4, title="silently")
    found = plant.reconcile()
    assert (found.stale, found.late_rows, found.reason) == (1, 0, None)


def test_more_absent_records_than_the_requests_are_enough_to_ask_for_are_buried_in_the_next_comparisons(plant, monkeypatch):
    monkeypatch.setattr(reconcile, "LEAST_ASKED", 2)
    plant.sync()
    for id_ in range(1, 6):
        plant.delete("work_orders", id_)
    nights = []
    for _ in range(3):
        plant.world.advance(timedelta(days=1))
        nights.append(plant.reconcile(is_full=False))
    assert [(found.deleted, found.status) for found in nights] == [(2, "differs"), (2, "differs"), (1, "healed")]
    assert nights[0].reason is not None
    assert nights[0].reason.startswith("3 absent records are asked for in the next comparison: today's requests are spent")
    assert plant.log() == plant.truth()


def test_c4_a_comparison_that_a_lying_clock_dated_far_ahead_does_not_put_off_the_next_for_ever(plant):
    plant.sync()
    plant.world.advance(timedelta(days=900))
    plant.reconcile()
    plant.world.now -= 800 * 24 * HOUR
    with plant.run() as (_, run):
        assert reconcile.is_due(BY_TABLE["work_orders"], plant.warehouse, run)
        assert rolling.spent(plant.warehouse, plant.organisation, run.now) == 0

"""What the sync cannot see, reconciliation finds and heals."""

from datetime import timedelta

import pytest

from simulator.instants import HOUR
from tests.faults.plant_builder import START, Plant


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


def test_a_record_that_only_its_id_finds_is_not_deleted_but_named(plant):
    plant.sync()
    plant.world.table("work_orders", plant.organisation).rows.store(6, None)
    found = plant.reconcile()
    assert (found.status, found.reason) == ("differs", "record 6 exists by its id, but no list shows it")
    assert len(plant.log()) == 40


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_delete_while_reconciling_buries_only_what_is_gone(plant, nth):
    plant.sync()
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("work_orders", 2), path="workorders", nth=nth)
    plant.reconcile()
    assert set(plant.truth()) <= set(plant.log())
    plant.reconcile()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("missed", [None, 7])
def test_a_month_of_rolling_reconciliations_reads_all_of_history(warehouse, missed):
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

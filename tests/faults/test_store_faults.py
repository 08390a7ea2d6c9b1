"""What may happen to the warehouse itself: two writers, one that stood still, damaged files, state and payloads that were changed."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.settings import ROOT
from dagster_project.warehouse.base import DamagedWarehouse, WarehouseBusy
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import Lease
from tests.faults.plant_builder import START, Plant
from tests.small_world import new_warehouse, stored
from tests.test_lease import DistantLease

# One writer (F6)

WRITER = """
import os, pathlib, signal, sys
from dagster_project.failpoint import arm
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import Lease

def stand_still(place):
    if place == sys.argv[2]:
        print("standing still", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)

path = pathlib.Path(sys.argv[1])
with DuckDBWarehouse(path, lease=Lease(path, seconds=0.5, host="frozen", command="maintainx refresh")) as warehouse:
    warehouse.insert("source", [{"source": "before it stood still"}])
    with arm(stand_still):
        stand_still("between two batches")
        warehouse.insert("source", [{"source": "after it stood still"}])
"""


@contextmanager
def standing_still(path: Path, place: str) -> Generator[subprocess.Popen[str]]:
    """Give a writer of another machine that was stopped at a place."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, place], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert writer.stdout
        assert writer.stdout.readline() == "standing still\n"
        yield writer
    finally:
        writer.kill()
        writer.communicate()


@pytest.mark.parametrize("place", ["between two batches", "transaction.before_commit"], ids=["between-batches", "before-commit"])
def test_f6_a_writer_that_stood_still_while_another_machine_took_over_stores_nothing(tmp_path, place):
    path = tmp_path / "warehouse.duckdb"
    with standing_still(path, place) as frozen:
        here = DuckDBWarehouse(path, wait_seconds=30, say=[].append, lease=DistantLease(path, host="taker"))
        with here as warehouse:
            warehouse.insert("source", [{"source": "of the one that took over"}])
            frozen.send_signal(18)  # SIGCONT
            _, said = frozen.communicate(timeout=60)
            warehouse.insert("source", [{"source": "and it goes on"}])
    assert "LeaseLost" in said
    assert "on taker (" in said
    assert frozen.returncode == 1
    with DuckDBWarehouse(path) as warehouse:
        assert stored(warehouse, "ops.source", "source") == [
            ("and it goes on",), ("before it stood still",), ("of the one that took over",)
        ]  # fmt: skip


def test_f6_a_writer_of_this_machine_that_stands_still_is_named_and_keeps_others_out(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with standing_still(path, "between two batches") as frozen:
        said: list[str] = []
        with pytest.raises(WarehouseBusy, match=rf"process {frozen.pid} on frozen \(maintainx refresh\)"):
            DuckDBWarehouse(path, wait_seconds=1.5, say=said.append).__enter__()
        assert said
        with pytest.raises(WarehouseBusy, match="gave no sign of life after"):
            DuckDBWarehouse(path).__enter__()


def test_f6_of_two_runs_at_once_one_writes_and_the_other_waits_its_turn_or_is_told_who_does(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with DuckDBWarehouse(path), pytest.raises(WarehouseBusy, match=r"process \d+ on .* since"), DuckDBWarehouse(path):
        pytest.fail("two writers")
    program = [sys.executable, "-c", IN_TURN, path]
    runs = [subprocess.Popen(program, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(run.communicate(timeout=120)[1], run.returncode) for run in runs] == [("", 0)] * 3
    with DuckDBWarehouse(path) as warehouse:
        assert stored(warehouse, "ops.source", "source") == [("1",), ("2",), ("3",)]


IN_TURN = """
import pathlib, sys, time
from dagster_project.warehouse.duckdb import DuckDBWarehouse
with DuckDBWarehouse(pathlib.Path(sys.argv[1]), wait_seconds=100, say=[].append) as warehouse:
    before = warehouse.query("select count(*) as n from ops.source")["n"].item()
    time.sleep(0.2)
    warehouse.insert("source", [{"source": str(before + 1)}])
"""


def test_f6_the_second_of_two_machines_is_refused_while_the_first_shows_signs_of_life(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with DuckDBWarehouse(path, lease=Lease(path, seconds=1)) as first:
        with pytest.raises(WarehouseBusy, match="its lease lasts until"):
            DuckDBWarehouse(path, wait_seconds=1.5, say=[].append, lease=DistantLease(path, host="second")).__enter__()
        first.insert("source", [{"source": "undisturbed"}])
    with DuckDBWarehouse(path, lease=DistantLease(path, host="second")) as second:
        assert stored(second, "ops.source", "source") == [("undisturbed",)]


# State that something else than a sync has changed (F9)


def audited(warehouse: DuckDBWarehouse, plant: Plant, action: str = "state_refused") -> list[str]:
    """Return what ops.audit says about a plant."""
    query = "select detail from ops.audit where organisation_id = ? and action = ? order by audited_at"
    return warehouse.query(query, [plant.organisation, action])["detail"].to_list()


TAMPERED = {
    "in-the-future": "update ops.state set watermark = timestamptz '2999-01-01 00:00:00+00' where organisation_id = {mine}",
    "a-little-later": "update ops.state set watermark = watermark + interval 5 hours where organisation_id = {mine}",
    "null": "update ops.state set watermark = null where organisation_id = {mine}",
    "infinite": "update ops.state set watermark = 'infinity' where organisation_id = {mine}",
    "of-another-organisation": "delete from ops.state where organisation_id = {mine}; "
    "insert into ops.state select * replace ({mine} as organisation_id) from ops.state where organisation_id = {other}",
    "of-another-endpoint": "update ops.state set endpoint = 'work_orders', watermark = timestamptz '2026-11-16 05:59:00+00' "
    "where organisation_id = {mine} and endpoint = 'assets'",
    "negative-slices": "insert into ops.state select * replace ('x' as slice, watermark as slice_from, "
    "watermark - interval 9 days as slice_to, false as is_complete) from ops.state where organisation_id = {mine}",
    "without-its-seal": "update ops.state set watermark = watermark + interval 5 hours, seal = null where organisation_id = {mine}",
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_f9_a_state_that_was_changed_by_hand_is_refused_audited_and_everything_is_read_again(warehouse, plant, change):
    other = Plant(warehouse)
    other.orders(range(1, 3), updated=START)
    other.sync()
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 7, title="changed before the state was")
    plant.world.advance(timedelta(hours=3))
    if "assets" in change:
        plant.sync("assets")
    for statement in change.format(mine=plant.organisation, other=other.organisation).split("; "):
        warehouse.execute(statement)
    plant.sync()
    assert plant.log() == plant.truth()
    assert len(audited(warehouse, plant)) == 1
    assert "was changed by something else than a sync" in audited(warehouse, plant)[0]
    plant.sync()
    assert len(audited(warehouse, plant)) == 1


def test_f9_a_state_that_was_deleted_is_a_first_load_and_not_a_gap(warehouse, plant):
    plant.sync()
    plant.change("work_orders", 7, title="changed")
    plant.world.advance(timedelta(hours=9))
    warehouse.execute("delete from ops.state where organisation_id = ?", [plant.organisation])
    assert plant.sync().is_first_load
    assert plant.log() == plant.truth()


def test_f9_a_column_of_another_type_is_refused_with_its_name_and_what_to_do(tmp_path):
    with new_warehouse(tmp_path) as warehouse:
        warehouse.execute("alter table ops.state alter watermark type varchar")
        path = warehouse.path
    with pytest.raises(DamagedWarehouse, match=r"ops\.state\.watermark is VARCHAR, not TIMESTAMP WITH TIME ZONE.*make restore"):
        DuckDBWarehouse(path).__enter__()

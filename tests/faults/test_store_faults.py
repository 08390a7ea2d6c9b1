"""What may happen to the warehouse itself: two writers, one that stood still, damaged files, state and payloads that were changed."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project import backup, quarantine
from dagster_project.failpoint import Crashed, arm, at, crash
from dagster_project.replay import replay_table
from dagster_project.settings import ROOT, Settings
from dagster_project.warehouse.base import DamagedWarehouse, WarehouseBusy
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import Lease
from dagster_project.warehouse.open import open_warehouse
from simulator.instants import HOUR
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


# Payloads that are not what was stored (F10)


DAMAGE = {
    "a-flipped-bit": "update raw.{table} set payload = replace(payload, 'order 7', 'order 5') where id = 7 and organisation_id = {mine}",
    "a-lost-payload": "update raw.{table} set payload = null where id = 7 and organisation_id = {mine}",
}


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_f10_a_payload_that_is_not_what_was_stored_is_named_and_read_again_by_the_next_refresh(plant, damage, table):
    for id_ in range(1, 41):
        plant.add_order(id_, START - 4000 * HOUR + id_ * HOUR, START - 4000 * HOUR + id_ * HOUR, table="assets")
    plant.world.advance(timedelta(days=1))
    for one in ("work_orders", "assets"):
        plant.sync(one)
    plant.world.advance(timedelta(days=200))
    plant.warehouse.execute(damage.format(table=table, mine=plant.organisation))
    found = replay_table(plant.warehouse, table, is_check=True, say=[].append)
    assert (plant.organisation, 7, 1) in found.damaged
    assert audited(plant.warehouse, plant, "damaged_payload") == [
        "1 payloads are not what was stored; the records whose newest version they are will be read again: record 7 version 1"
    ]
    before = plant.simulator.requests.total()
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)
    assert plant.versions(7, table) == [(1, "first", False), (2, "shape", False)]
    assert plant.simulator.requests.total() - before <= 3
    assert (plant.organisation, 7, 1) in replay_table(plant.warehouse, table, is_check=True, say=[].append).damaged
    assert plant.warehouse.damaged(table, plant.organisation) == {}
    plant.sync(table)
    assert len(plant.versions(7, table)) == 2


def test_f10_a_damaged_payload_in_a_list_that_is_read_whole_heals_by_itself(warehouse):
    plant = Plant(warehouse)
    plant.locations(range(1, 5))
    plant.sync("locations")
    warehouse.execute("update raw.locations set payload = '{}' where id = 2 and organisation_id = ?", [plant.organisation])
    assert replay_table(warehouse, "locations", say=[].append).damaged == [(plant.organisation, 2, 1)]
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


# Records that were poisoned, and fit after an update of the program (D10)


def test_d10_poisoned_rows_are_set_aside_among_good_ones_and_a_replay_heals_them_once_they_fit(tmp_path):
    given = Settings(data_dir=tmp_path, duckdb_memory_limit="1GB")
    with open_warehouse(given) as warehouse:
        mine = Plant(warehouse)
        mine.orders(range(1, 41))
        mine.sync()
        mine.world.advance(timedelta(hours=1))
        for id_ in (7, 8, 9):
            mine.change("work_orders", id_, title="good" if id_ == 9 else [id_])
        mine.sync()
        assert [(row[0], row[2]) for row in mine.quarantine()] == [(7, "open"), (8, "open")]
        assert mine.watermark() == mine.world.instant
        entries = quarantine.entries(warehouse)
        assert entries["stale_since"].to_list() == [mine.world.instant] * 2
        # an update of the program: what the older one refused of record 7 is what this one accepts
        mine.change("work_orders", 7, title="a title")
        good = mine.world.table("work_orders", mine.organisation).rows.encoded[7].decode()
        warehouse.execute("update ops.quarantine set raw_json = ? where record_id = 7", [good])
    assert quarantine.replay(given, "replay-1", say=[].append) == quarantine.Replayed(tried=2, healed=1, refused=1)
    with open_warehouse(given) as warehouse:
        mine.warehouse = warehouse
        assert mine.log()[7] == mine.truth()[7]
        assert mine.versions(7) == [(1, "first", False), (2, "change", False)]
        assert [(row[0], row[2]) for row in mine.quarantine()] == [(7, "replayed"), (8, "open")]
        mine.sync()
        assert len(mine.versions(7)) == 2


# The file (F7)


def wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A warehouse whose writer died: its second batch stands in the write-ahead log alone."""
    path = tmp_path / "killed" / "warehouse.duckdb"
    path.parent.mkdir()
    assert subprocess.run([sys.executable, "-c", DIES, path], cwd=ROOT).returncode == -9
    assert wal_of(path).stat().st_size > 0
    return path


DIES = """
import os, pathlib, sys
from dagster_project.warehouse.duckdb import DuckDBWarehouse
path = pathlib.Path(sys.argv[1])
with DuckDBWarehouse(path) as warehouse:
    warehouse.insert("source", [{"source": "first batch"}])
with DuckDBWarehouse(path) as warehouse:
    warehouse.insert("source", [{"source": "second batch"}])
    os.kill(os.getpid(), 9)
"""


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)


def of_another_database(path: Path) -> None:
    """Put the write-ahead log of another warehouse beside this one."""
    other = path.parent / "other" / "warehouse.duckdb"
    other.parent.mkdir()
    subprocess.run([sys.executable, "-c", DIES, other], cwd=ROOT)
    shutil.copy(wal_of(other), wal_of(path))


def of_version(path: Path, number: int) -> None:
    """Write the number of another storage format into the head of the file, with a sound checksum; ours are 64 to 69, and 999."""
    content = bytearray(path.read_bytes())
    content[12:20] = number.to_bytes(8, "little")
    words = [int.from_bytes(content[place : place + 8], "little") for place in range(8, 4096, 8)]
    checksum = functools.reduce(lambda sum_, word: sum_ ^ (word * 0xBF58476D1CE4E5B9 % 2**64), words, 5381)
    content[:8] = checksum.to_bytes(8, "little")
    path.write_bytes(content)


def of_duckdb_1_5(path: Path) -> None:
    """Put a file of the format that clients of last year write in its place."""
    path.unlink()
    wal_of(path).unlink()
    subprocess.run([Path(sys.executable).parent / "duckdb", path, "create table notes as select 1 as note"], check=True)


UNUSABLE = {
    "a-damaged-write-ahead-log": lambda path: flip(wal_of(path), wal_of(path).stat().st_size // 2),
    "a-foreign-write-ahead-log": of_another_database,
    "a-file-cut-behind-its-head": lambda path: os.truncate(path, 20_000),
    "an-empty-file": lambda path: os.truncate(path, 0),
    "a-damaged-head": lambda path: flip(path, 20),
    "a-file-of-a-newer-duckdb": lambda path: of_version(path, 1000),
    "a-file-of-an-unknown-older-duckdb": lambda path: of_version(path, 50),
    "a-file-of-duckdb-1-5": of_duckdb_1_5,
}


@pytest.mark.parametrize("damage", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_f7_a_file_that_cannot_be_used_is_refused_with_the_way_back_and_left_as_it_is(killed, damage):
    damage(killed)
    before = killed.read_bytes()
    for _ in range(2):
        with pytest.raises(
            DamagedWarehouse, match=r"warehouse\.duckdb cannot be used: .*Move warehouse\.duckdb\* away, run `make restore`"
        ):
            DuckDBWarehouse(killed).__enter__()
    assert killed.read_bytes() == before


UNSYNCED = {
    "absent": lambda wal: wal.unlink(),
    "cut": lambda wal: os.truncate(wal, wal.stat().st_size // 3),
    "garbage": lambda wal: wal.write_bytes(b"garbage" * 1000),
    "empty": lambda wal: wal.write_bytes(b""),
}


@pytest.mark.parametrize("damage", UNSYNCED.values(), ids=UNSYNCED.keys())
def test_f7_a_write_ahead_log_that_is_lost_takes_whole_batches_with_it_and_the_loss_is_audited(killed, damage):
    damage(wal_of(killed))
    with DuckDBWarehouse(killed) as warehouse:
        assert stored(warehouse, "ops.source") == [("first batch",)]
        assert [action for (action,) in stored(warehouse, "ops.audit", "action")] == ["older_file"]
        assert "lease 2 was given to process" in stored(warehouse, "ops.audit", "detail")[0][0]
        warehouse.insert("source", [{"source": "third batch"}])
    with DuckDBWarehouse(killed) as warehouse:
        assert stored(warehouse, "ops.source") == [("first batch",), ("third batch",)]
        assert len(stored(warehouse, "ops.audit")) == 1


@pytest.mark.parametrize(
    "damage",
    [lambda path: flip(path, path.stat().st_size // 2), lambda path: os.truncate(path, path.stat().st_size // 2)],
    ids=["a-flipped-bit", "cut-in-half"],
)
def test_f7_damage_inside_the_file_is_met_with_the_way_back_as_soon_as_it_is_read(tmp_path, damage):
    path = tmp_path / "warehouse.duckdb"
    with DuckDBWarehouse(path) as warehouse:
        warehouse.execute("insert into ops.source select md5(range::varchar) from range(300000)")
    damage(path)
    with pytest.raises(DamagedWarehouse, match=r"cannot be used: .*make restore"), DuckDBWarehouse(path) as warehouse:
        warehouse.query("select count(distinct source) from ops.source")


def test_f7_a_lost_warehouse_is_restored_from_its_backup_and_reads_what_it_lacks(tmp_path):
    given = Settings(data_dir=tmp_path, duckdb_memory_limit="1GB")
    with open_warehouse(given) as warehouse:
        plant = Plant(warehouse)
        plant.orders(range(1, 41))
        plant.sync()
        warehouse.insert("runs", [{"run_id": "r", "organisation_id": plant.organisation, "known_from": plant.world.instant}])
    backup.backup(given)
    with open_warehouse(given) as plant.warehouse:
        plant.world.advance(timedelta(hours=1))
        plant.change_all(range(3, 9), "changed after the backup")
        plant.sync()
    os.truncate(given.warehouse_path, 9000)
    with pytest.raises(DamagedWarehouse):
        open_warehouse(given).__enter__()
    for path in given.data_dir.glob("warehouse.duckdb*"):
        path.unlink()
    backup.restore(given)
    with open_warehouse(given) as plant.warehouse:
        assert audited(plant.warehouse, plant) == []
        assert not plant.sync().is_first_load
        assert plant.log() == plant.truth()


# A batch that is half stored (F8)


@pytest.mark.parametrize("place", ["commit.versions", "commit.children", "commit.latest", "commit.states", "transaction.before_commit"])
def test_f8_a_batch_that_fails_between_two_of_its_statements_leaves_nothing_and_comes_whole_the_next_time(plant, place):
    plant.sync()
    before = plant.log(), plant.watermark(), plant.versions(3)
    plant.world.advance(timedelta(hours=1))
    plant.change_all(range(1, 30), "changed")
    with pytest.raises(Crashed), arm(at(place, 1, crash)):
        plant.sync()
    assert (plant.log(), plant.watermark(), plant.versions(3)) == before
    plant.sync()
    assert plant.log() == plant.truth()
    assert [len(plant.versions(id_)) for id_ in range(1, 30)] == [2] * 29

"""Backup and restore: what no rebuild can bring back survives the loss of the warehouse."""

import json
from pathlib import Path

import pytest

from dagster_project.backup import (
    DamagedBackup,
    NoBackup,
    NotEmpty,
    NothingToBackUp,
    backup,
    newest_backup,
    restore,
)
from dagster_project.settings import Settings
from dagster_project.warehouse import copying
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "lost", duckdb_memory_limit="500MB")


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a machine that has the backups and nothing else."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "backups").symlink_to(settings.backup_dir)
    return settings.model_copy(update={"data_dir": tmp_path / "new"})


def fill(settings: Settings, *, title: str = "Replace the belt", known_from: str = "2026-11-16 06:00:00.123456+00") -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute(
            """
            insert into raw.work_orders by name
            select 101 as organisation_id, i as id, 1 as version_number, -i as content_hash, $title || ' é "' || i as title,
                timestamptz '2026-03-29 01:30:00.654321+00' as created_at, '{"id": 1}' as payload, false as is_deleted
            from range(2000) r(i)
            """,
            {"title": title},
        )
        warehouse.connection.execute("insert into ops.runs (run_id, organisation_id, known_from) values ('r1', 101, ?)", [known_from])
        warehouse.connection.execute("insert into ops.kpi_reported (kpi, value, version) values ('mttr', 0.1 + 0.2, '000001')")


def content(warehouse: DuckDBWarehouse) -> dict[str, copying.Fingerprint]:
    names = [
        f'{schema}."{table}"' for schema in ("raw", "ops") for table in copying.tables(warehouse.connection, schema) if table != "lease"
    ]
    return {name: copying.fingerprint(warehouse.connection, f"from {name}") for name in names}


def test_a_restored_warehouse_equals_the_lost_one(settings, elsewhere):
    fill(settings)
    folder = backup(settings)
    restored = restore(elsewhere)
    assert restored.folder == elsewhere.backup_dir / folder.name == elsewhere.backup_dir / "20261116T060000Z"
    assert restored.rows["raw.work_orders"] == 2000
    with open_warehouse(settings) as before, open_warehouse(elsewhere) as after:
        assert content(before) == content(after)


def test_a_backup_holds_every_table_of_raw_and_ops_as_parquet_with_a_manifest(settings):
    fill(settings)
    folder = backup(settings)
    manifest = json.loads((folder / "manifest.json").read_text())
    with open_warehouse(settings) as warehouse:
        tables = {f"{schema}.{table}" for schema in ("raw", "ops") for table in copying.tables(warehouse.connection, schema)} - {
            "ops.lease"
        }
    assert set(manifest["tables"]) == tables
    assert {path.name for path in folder.iterdir()} == {f"{name}.parquet" for name in tables} | {"manifest.json"}
    assert manifest["known_at"] == "2026-11-16T06:00:00.123456+00:00"


def test_a_table_that_this_version_does_not_make_comes_back_too(settings, elsewhere):
    fill(settings)
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute(
            "create table raw.retired (id bigint not null, note varchar default 'x'); insert into raw.retired values (1, 'y')"
        )
    backup(settings)
    restore(elsewhere)
    with open_warehouse(elsewhere) as warehouse:
        assert warehouse.connection.execute("from raw.retired").fetchall() == [(1, "y")]
        assert "NOT NULL" in copying.base_tables(warehouse.connection, "raw")["retired"]


def test_backing_up_the_same_content_again_gives_the_folder_that_is_there(settings):
    fill(settings)
    assert backup(settings) == backup(settings)
    assert len(list(settings.backup_dir.iterdir())) == 1


def test_other_content_known_at_the_same_instant_becomes_a_folder_of_its_own_and_the_newest(settings):
    fill(settings)
    first = backup(settings)
    before = (first / "manifest.json").read_bytes()
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute("delete from raw.work_orders where id > 5")
    second = backup(settings)
    assert second.name == "20261116T060000Z_002"
    assert newest_backup(settings.backup_dir) == second
    assert (first / "manifest.json").read_bytes() == before


def test_nothing_is_backed_up_before_a_run_has_finished(settings):
    with pytest.raises(NothingToBackUp, match="make refresh"):
        backup(settings)
    assert newest_backup(settings.backup_dir) is None


def test_a_restore_never_overwrites_records(settings):
    fill(settings)
    backup(settings)
    with pytest.raises(NotEmpty, match=r"holds records: move it away"):
        restore(settings)


def test_a_restore_without_a_backup_says_where_it_looked(settings, tmp_path):
    with pytest.raises(NoBackup, match=str(settings.backup_dir)):
        restore(settings)
    with pytest.raises(NoBackup, match="nowhere"):
        restore(settings, tmp_path / "nowhere")


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_backup_is_refused_before_anything_is_written(settings, elsewhere, damage):
    fill(settings)
    file = backup(settings) / "raw.work_orders.parquet"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedBackup, match=r"raw\.work_orders\.parquet"):
        restore(elsewhere)
    assert not elsewhere.warehouse_path.exists()


def test_a_restore_that_fails_half_way_leaves_the_warehouse_empty(settings, elsewhere):
    fill(settings)
    folder = backup(settings)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["raw.work_orders"]["rows"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DamagedBackup, match="2000 rows, its manifest says 2001"):
        restore(elsewhere)
    with open_warehouse(elsewhere) as warehouse:
        assert {print_.rows for print_ in content(warehouse).values()} == {0}


def test_what_a_killed_backup_left_aside_is_neither_a_backup_nor_in_the_way(settings):
    fill(settings)
    left = settings.backup_dir / ".tmp-20261116T060000Z"
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("{}")
    assert newest_backup(settings.backup_dir) is None
    backup(settings)
    assert [path.name for path in settings.backup_dir.iterdir()] == ["20261116T060000Z"]

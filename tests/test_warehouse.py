"""DuckDB behind the warehouse's verbs: one transaction a batch, one writer, and nothing lost between two openings."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.frames.contract import contract
from dagster_project.ingest import take
from dagster_project.settings import ROOT, load
from dagster_project.warehouse.base import Commit, DamagedWarehouse, Latest, State, Tombstone, WarehouseBusy
from dagster_project.warehouse.duckdb import DuckDBWarehouse, connect
from dagster_project.warehouse.layout import SQL_TYPES, tables
from dagster_project.warehouse.open import open_warehouse
from dagster_project.warehouse.tables import LEASE, OPS
from tests.small_world import DECCAN, NORTHFIELD, NOW, everything, labour, new_warehouse, order, raw, reading, stored

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with new_warehouse(tmp_path) as opened:
        yield opened


def batch(warehouse: DuckDBWarehouse, *records: dict[str, Any] | bytes, table: str = "work_orders") -> Commit:
    """Return the commit of records as the sync makes it."""
    return take(reading(table), [one if isinstance(one, bytes) else raw(one) for one in records], warehouse).commit


# tables


def test_a_new_warehouse_has_every_table_of_raw_and_ops_with_its_columns_in_order(tmp_path):
    sql = "select table_schema || '.' || table_name as name, column_name from information_schema.columns order by 1, ordinal_position"
    found: dict[str, list[str]] = {}
    with DuckDBWarehouse(tmp_path / "new" / "warehouse.duckdb") as warehouse:
        for name, column in warehouse.query(sql).rows():
            found.setdefault(name, []).append(column)
    assert found == {name: list(columns) for name, columns in sorted((tables() | {"ops.lease": LEASE}).items())}


def test_a_column_that_came_with_a_newer_program_is_added_to_the_tables_that_exist(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with new_warehouse(tmp_path) as warehouse:
        warehouse.commit(batch(warehouse, order()))
        for name in ("raw.work_orders", "raw.assets"):
            for column in ("payload", "description"):
                warehouse.execute(f"alter table {name} drop column {column}")
        warehouse.execute("alter table ops.state drop column expands")
    with DuckDBWarehouse(path) as warehouse:
        assert stored(warehouse, "raw.work_orders", "id, title, description, payload") == [(1, "Order 1", None, None)]
        warehouse.commit(batch(warehouse, order(2, description="d")))
        assert stored(warehouse, "raw.work_orders", "id, description")[1] == (2, "d")


def test_a_session_is_in_utc_and_within_its_memory(tmp_path):
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb", "512MB") as warehouse:
        found = warehouse.query("select current_setting('timezone') as zone, current_setting('memory_limit') as memory").rows()
    assert found == [("UTC", "488.2 MiB")]


def test_the_settings_name_the_warehouse(tmp_path):
    with open_warehouse(load(data_dir=tmp_path / "plant")) as warehouse:
        assert warehouse.path == tmp_path / "plant" / "warehouse.duckdb"
        assert (tmp_path / "plant" / "warehouse.duckdb").exists()


# a batch


def test_a_batch_stores_versions_children_latest_state_and_counts_together(warehouse):
    record = order(
        1,
        categories=["Safety", "Cleaning"],
        timeItems=[labour(600, 500)],
        expenditures=[{"rowTotal": 250}],
        updatedAt="2026-11-01T00:00:00Z",
    )
    commit = batch(warehouse, record, order(2, title=None))
    commit.states = [State(NORTHFIELD, "work_orders", watermark=NOW)]
    commit.endpoint_run = {"run_id": "run-1", "organisation_id": NORTHFIELD, "endpoint": "work_orders", "kind": "sync", "status": "ok"}
    warehouse.commit(commit)
    assert stored(warehouse, "raw.work_orders", "id, version_number, cause, run_id, observed_at, is_deleted, title, status") == [
        (1, 1, "first", "run-1", NOW, False, "Order 1", "OPEN")
    ]
    assert stored(warehouse, "raw.work_order_categories") == [(NORTHFIELD, 1, 1, 0, "Safety"), (NORTHFIELD, 1, 1, 1, "Cleaning")]
    assert warehouse.states(NORTHFIELD, "work_orders") == {"": State(NORTHFIELD, "work_orders", watermark=NOW)}
    assert stored(warehouse, "ops.quarantine", "record_id, reason_code, field, status, times_seen") == [(2, "type", "title", "open", 1)]
    assert stored(warehouse, "ops.endpoint_runs", "run_id, endpoint, kind, status, fetched") == [
        ("run-1", "work_orders", "sync", "ok", None)
    ]
    known = warehouse.latest("work_orders", NORTHFIELD, [1, 2])
    assert list(known) == [1]
    assert (known[1].version_number, known[1].status, known[1].labour_seconds, known[1].cost_cents) == (1, "OPEN", 600, 750)
    assert known[1].updated_at == NOW - timedelta(days=15, hours=6)


def test_the_payload_is_the_whole_record(warehouse):
    warehouse.commit(batch(warehouse, order(1, extraFields={"b": "ü\x00", "a": "1"})))
    payload = stored(warehouse, "raw.work_orders", "payload")[0][0]
    assert contract("work_orders").decoder.decode(payload.encode()) == contract("work_orders").decoder.decode(
        raw(order(1, extraFields={"b": "ü\x00", "a": "1"}))
    )


@pytest.mark.parametrize("step", ["append", "_replace_keys", "_note_bytes", "_bury", "_release", "_count", "_save_states", "_save"])
@pytest.mark.parametrize("is_done_first", [False, True], ids=["before", "after"])
def test_an_error_in_the_middle_of_a_batch_leaves_nothing_of_it(tmp_path, step, is_done_first):
    class Failing(DuckDBWarehouse):
        fails = False

    def fail(self: Failing, *given: Any) -> None:
        if is_done_first or not self.fails:
            getattr(DuckDBWarehouse, step)(self, *given)
        if self.fails:
            raise OSError("no space left on device")

    setattr(Failing, step, fail)
    with Failing(new_warehouse(tmp_path).path) as warehouse:
        warehouse.commit(batch(warehouse, order(1, categories=["Safety"]), order(2), order(3)))
        before = everything(warehouse)
        commit = batch(warehouse, order(1, title="New"), raw(order(2)).replace(b",", b", "), order(4, title=None), order(5))
        commit.tombstones = [Tombstone(NORTHFIELD, 3, "run-2", LATER)]
        commit.states = [State(NORTHFIELD, "work_orders", watermark=LATER)]
        commit.endpoint_run = {"run_id": "run-2", "organisation_id": NORTHFIELD, "endpoint": "work_orders", "kind": "sync"}
        warehouse.fails = True
        with pytest.raises(OSError, match="no space left"):
            warehouse.commit(commit)
        assert everything(warehouse) == before
        warehouse.fails = False
        warehouse.commit(commit)
        assert stored(warehouse, "raw.work_orders", "id, version_number, cause") == [
            (1, 1, "first"), (1, 2, "change"), (2, 1, "first"), (3, 1, "first"), (3, 2, "delete"), (5, 1, "first")
        ]  # fmt: skip


def test_the_same_content_in_other_bytes_is_noted_so_that_it_need_not_be_decoded_again(warehouse):
    warehouse.commit(batch(warehouse, order()))
    spaced = raw(order()).replace(b",", b", ")
    again = take(reading(), [spaced], warehouse)
    warehouse.commit(again.commit)
    assert again.same_content
    assert take(reading(), [spaced], warehouse).same_content == []
    assert len(stored(warehouse, "raw.work_orders", "id")) == 1


# deletion


def test_a_tombstone_is_a_version_with_the_last_columns_and_no_children(warehouse):
    warehouse.commit(batch(warehouse, order(1, categories=["Old"])))
    warehouse.commit(batch(warehouse, order(1, title="Last", categories=["Safety"], timeItems=[labour(60)]), order(2)))
    warehouse.commit(Commit("work_orders", tombstones=[Tombstone(NORTHFIELD, 1, "run-9", LATER)]))
    rows = warehouse.query("select * from raw.work_orders where id = 1 order by version_number").to_dicts()
    assert [row["version_number"] for row in rows] == [1, 2, 3]
    assert rows[2] == {
        **rows[1], "version_number": 3, "cause": "delete", "is_deleted": True, "run_id": "run-9", "observed_at": LATER
    }  # fmt: skip
    assert stored(warehouse, "raw.work_order_categories", "id, version_number, label") == [(1, 1, "Old"), (1, 2, "Safety")]
    assert warehouse.latest("work_orders", NORTHFIELD, [1])[1].is_deleted
    assert warehouse.live("work_orders", NORTHFIELD)["id"].to_list() == [2]


def test_burying_twice_buries_once(warehouse):
    warehouse.commit(batch(warehouse, order()))
    stone = Tombstone(NORTHFIELD, 1, "run-2", LATER)
    for stones in ([stone], [stone], [stone, stone]):
        warehouse.commit(Commit("work_orders", tombstones=stones))
    assert stored(warehouse, "raw.work_orders", "version_number, is_deleted") == [(1, False), (2, True)]


def test_a_tombstone_touches_neither_other_organisations_nor_unknown_records(warehouse):
    warehouse.commit(batch(warehouse, order()))
    before = everything(warehouse)
    stones = [Tombstone(DECCAN, 1, "run-2", LATER), Tombstone(NORTHFIELD, 99, "run-2", LATER)]
    warehouse.commit(Commit("work_orders", tombstones=stones))
    assert everything(warehouse) == before


# quarantine and drift


def quarantined(warehouse: DuckDBWarehouse) -> list[tuple]:
    return stored(warehouse, "ops.quarantine", "record_id, value, run_id, first_seen_at, last_seen_at, times_seen, status")


def refuse(warehouse: DuckDBWarehouse, run_id: str, hours: int, **fields: Any) -> None:
    given = reading(run_id=run_id, now=NOW + timedelta(hours=hours))
    warehouse.commit(take(given, [raw(order(1, **fields))], warehouse).commit)


def test_a_record_refused_again_is_counted_not_repeated(warehouse):
    refuse(warehouse, "run-1", 0, title=5)
    refuse(warehouse, "run-2", 1, title=5)
    refuse(warehouse, "run-3", 2, title=6)
    assert [(row[0], *row[2:]) for row in quarantined(warehouse)] == [(1, "run-3", NOW, NOW + timedelta(hours=2), 3, "open")]
    assert stored(warehouse, "ops.quarantine", "raw_json")[0][0].endswith('"title": 6, "updatedAt": "2026-09-17T06:01:00.000Z"}')


def test_a_record_that_keeps_the_contract_again_leaves_quarantine_and_may_come_back(warehouse):
    refuse(warehouse, "run-1", 0, title=5)
    refuse(warehouse, "run-2", 1, title="Mended")
    assert [row[-2:] for row in quarantined(warehouse)] == [(1, "replayed")]
    refuse(warehouse, "run-3", 2, title=5)
    assert [row[-2:] for row in quarantined(warehouse)] == [(2, "open")]


def test_drift_counts_how_often_a_key_was_seen(warehouse):
    for hours in (0, 1):
        given = reading(now=NOW + timedelta(hours=hours))
        warehouse.commit(take(given, [raw(order(1, novelKey=hours, status="ARCHIVED"))], warehouse).commit)
    columns = "organisation_id, endpoint, kind, field, value, first_seen_at, last_seen_at, times_seen"
    assert stored(warehouse, "ops.drift", columns) == [
        (NORTHFIELD, "work_orders", "unknown_key", "novelKey", None, NOW, LATER, 2),
        (NORTHFIELD, "work_orders", "unknown_value", "status", "ARCHIVED", NOW, LATER, 2),
    ]


# state and ops


def test_a_state_is_read_as_it_was_written(tmp_path):
    main = State(NORTHFIELD, "work_orders", "", NOW, None, None, True, "asset", "run-1")
    part = State(NORTHFIELD, "work_orders", "a/b", LATER, NOW, LATER, False, None, "run-1")
    others = [State(DECCAN, "work_orders", watermark=LATER), State(NORTHFIELD, "assets", watermark=LATER)]
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb") as warehouse:
        warehouse.commit(Commit("work_orders", states=[main, part, *others]))
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb") as warehouse:
        assert warehouse.states(NORTHFIELD, "work_orders") == {"": main, "a/b": part}
        warehouse.commit(Commit("work_orders", states=[replace(part, is_complete=True)]))
        assert warehouse.states(NORTHFIELD, "work_orders")["a/b"].is_complete
        warehouse.forget_slices(NORTHFIELD, "work_orders", main)
        assert warehouse.states(NORTHFIELD, "work_orders") == {"": main}
        assert [warehouse.states(one.organisation_id, one.endpoint) for one in others] == [{"": one} for one in others]


def test_states_of_a_program_that_did_not_seal_them_are_sealed_when_the_column_comes(tmp_path):
    with new_warehouse(tmp_path) as warehouse:
        warehouse.commit(Commit("work_orders", states=[State(NORTHFIELD, "work_orders", watermark=NOW)]))
        warehouse.execute("alter table ops.state drop column seal")
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb") as warehouse:
        assert warehouse.states(NORTHFIELD, "work_orders") == {"": State(NORTHFIELD, "work_orders", watermark=NOW)}
        assert stored(warehouse, "ops.audit") == []


def test_replace_puts_rows_in_the_place_of_those_that_match(warehouse):
    rows = [{"run_id": name, "organisation_id": NORTHFIELD, "status": "running"} for name in ("a", "b")]
    warehouse.insert("runs", rows)
    warehouse.replace("runs", [{**rows[0], "status": "finished"}], {"run_id": "a", "organisation_id": NORTHFIELD})
    warehouse.replace("runs", [{"run_id": "c"}], {"run_id": "b", "organisation_id": None})
    assert stored(warehouse, "ops.runs", "run_id, status") == [("a", "finished"), ("b", "running"), ("c", None)]
    warehouse.replace("runs", [], {})
    assert stored(warehouse, "ops.runs") == []


def test_every_table_of_ops_takes_a_row_that_says_nothing(warehouse):
    for table, columns in OPS.items():
        warehouse.insert(table, [{}])
        named = ", ".join(column for column in columns if column != "seal")
        assert set(stored(warehouse, f"ops.{table}", named)[0]) == {None}


def test_live_records_come_by_id_with_what_a_comparison_needs(warehouse):
    warehouse.commit(batch(warehouse, order(2, status="DONE"), order(1, timeItems=[labour(60, 5)])))
    columns = ("id", "status", "labour_seconds", "cost_cents")
    assert warehouse.live("work_orders", NORTHFIELD).select(columns).rows() == [(1, "OPEN", 60, 5), (2, "DONE", 0, 0)]
    assert warehouse.live("work_orders", DECCAN).rows() == []


def test_the_owners_of_absent_records_are_those_of_their_newest_versions(warehouse):
    warehouse.commit(batch(warehouse, order(1, assetId=5), order(2, assetId=6), order(3, assetId=None)))
    warehouse.commit(batch(warehouse, order(1, assetId=7)))
    assert warehouse.column_of("work_orders", NORTHFIELD, "asset_id", [1, 2, 3, 4]) == [6, 7]
    assert warehouse.column_of("work_orders", NORTHFIELD, "asset_id", []) == []


def test_latest_knows_one_organisation_and_the_ids_asked_for(warehouse):
    warehouse.commit(batch(warehouse, order(1), order(2)))
    assert list(warehouse.latest("work_orders", NORTHFIELD, [2, 3])) == [2]
    assert warehouse.latest("work_orders", DECCAN, [1, 2]) == {}
    assert warehouse.latest("work_orders", NORTHFIELD, []) == {}
    assert isinstance(warehouse.latest("work_orders", NORTHFIELD, [1])[1], Latest)


# one writer


def in_another_process(code: str, *given: object) -> subprocess.CompletedProcess[str]:
    arguments: Sequence[str] = [sys.executable, "-c", code, *map(str, given)]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)


OPEN = """
import os, pathlib, sys
from dagster_project.warehouse.duckdb import DuckDBWarehouse
with DuckDBWarehouse(pathlib.Path(sys.argv[1])):
    os.kill(os.getpid(), 9)
"""


def test_a_second_process_is_refused_with_the_number_of_the_one_that_writes(warehouse):
    refused = in_another_process(OPEN, warehouse.path)
    assert refused.returncode == 1
    assert f"WarehouseBusy: {warehouse.path} is being written by process {os.getpid()} on {socket.gethostname()} (" in refused.stderr
    assert " UTC: wait until it has finished (--wait SECONDS does), or stop it, and start again" in refused.stderr


def test_a_second_opening_in_this_process_is_refused_too(warehouse):
    with pytest.raises(WarehouseBusy, match=f"process {os.getpid()}"), DuckDBWarehouse(warehouse.path):
        pytest.fail("two writers")


def test_once_closed_another_process_may_write_and_a_killed_one_leaves_no_lock(tmp_path):
    with new_warehouse(tmp_path) as warehouse:
        path = warehouse.path
    assert in_another_process(OPEN, path).returncode == -9
    with DuckDBWarehouse(path) as warehouse:
        assert stored(warehouse, "ops.runs") == []


@pytest.mark.parametrize(("given", "kept"), [("2GB", "244.1 MiB"), ("100MB", "95.3 MiB")])
def test_reading_keeps_to_little_memory_and_what_follows_may_use_all(tmp_path, given, kept):
    def limit(found):
        return found.connection.execute("select current_setting('memory_limit')").fetchall()[0][0]

    with DuckDBWarehouse(tmp_path / "warehouse.duckdb", given) as found:
        before = limit(found)
        with found.frugal():
            assert limit(found) == kept
        assert limit(found) == before


def test_while_released_another_client_writes_and_the_lock_is_still_held(warehouse):
    with warehouse.released():
        with connect(warehouse.path, "1GB") as other:
            other.execute("create table raw.of_another as select 42 as answer")
        with pytest.raises(WarehouseBusy), DuckDBWarehouse(warehouse.path):
            pytest.fail("two writers")
    assert stored(warehouse, "raw.of_another") == [(42,)]


def test_an_error_while_released_leaves_the_warehouse_open(warehouse):
    with pytest.raises(ZeroDivisionError), warehouse.released():
        _ = 1 / 0
    assert stored(warehouse, "ops.runs") == []


def test_a_file_that_is_no_database_is_refused_and_not_left_locked(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(DamagedWarehouse, match="not a valid DuckDB database file"), DuckDBWarehouse(path):
            pytest.fail("opened")


def test_a_warehouse_that_is_not_open_says_so(tmp_path):
    with pytest.raises(RuntimeError, match="not open: use it with `with`"):
        DuckDBWarehouse(tmp_path / "warehouse.duckdb").query("select 1")


def test_every_column_has_a_type_that_duckdb_gives_back(warehouse):
    for name, columns in tables().items():
        assert dict(warehouse.query(f"select * from {name}").schema) == {
            column: pl.Datetime("us", "UTC") if isinstance(dtype, pl.Datetime) else dtype for column, dtype in columns.items()
        }
    assert set(SQL_TYPES) >= {type(dtype) for columns in tables().values() for dtype in columns.values()}


def test_a_warehouse_in_memory_stores_as_one_in_a_file_does_and_is_gone_when_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = []
    for warehouse in (DuckDBWarehouse.in_memory(), DuckDBWarehouse(tmp_path / "warehouse.duckdb")):
        with warehouse:
            warehouse.commit(batch(warehouse, order(1, categories=["Safety"]), order(2, title=None)))
            found.append((everything(warehouse), sorted(path.name for path in tmp_path.iterdir())[:1]))
    assert found[0] == (found[1][0], [])
    with DuckDBWarehouse.in_memory() as warehouse:
        assert stored(warehouse, "raw.work_orders") == []
        with pytest.raises(RuntimeError, match="no file that another client could open"), warehouse.released():
            pytest.fail("released")


def test_a_long_query_draws_no_bar_into_the_log(tmp_path: Path):
    with connect(tmp_path / "w.duckdb", "1GB") as connection:
        assert connection.sql("select current_setting('enable_progress_bar')").fetchall() == [(False,)]

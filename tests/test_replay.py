"""Rebuilding raw from its payloads: the same tables again, new columns filled, and damaged payloads named."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.failpoint import Crashed, arm, at, crash
from dagster_project.frames import records
from dagster_project.ingest import take
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.replay import is_intact, replay_table, shapes
from dagster_project.warehouse import rebuild
from dagster_project.warehouse.base import Commit, Tombstone
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from tests.small_world import NORTHFIELD, NOW, asset, everything, labour, new_warehouse, order, raw, reading, stored

SILENT = [].append


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with new_warehouse(tmp_path) as opened:
        yield opened


@pytest.fixture
def filled(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> DuckDBWarehouse:
    """A log with changes, a deletion, children, custom fields and null fields, read in batches of two rows."""
    monkeypatch.setattr(rebuild, "BATCH_ROWS", 2)
    first = order(1, categories=["Safety", "Cleaning"], timeItems=[labour(600, 500)], extraFields={"b": "ü", "a": None}, dueDate=None)
    read(warehouse, first, order(2, partsAvailability="LOW"), order(3, assignees=[{"type": "USER", "id": "7"}]))
    read(warehouse, order(1, title="Changed", categories=["Safety"], expenditures=[{"rowTotal": 250}]), order(4))
    read(warehouse, asset(1, extraFields={"Colour": "red"}), table="assets")
    warehouse.commit(Commit("work_orders", tombstones=[Tombstone(NORTHFIELD, 3, "run-2", NOW + timedelta(hours=1))]))
    return warehouse


def read(warehouse: DuckDBWarehouse, *rows: dict[str, Any], table: str = "work_orders", **more: Any) -> None:
    warehouse.commit(take(reading(table, **more), [raw(row) for row in rows], warehouse).commit)


def content(warehouse: DuckDBWarehouse) -> dict[str, list[tuple]]:
    return {name: rows for name, rows in everything(warehouse).items() if name.startswith("raw.")}


def test_a_replay_gives_every_table_back_as_it_was(filled):
    before = content(filled)
    done = replay_table(filled, "work_orders", say=SILENT)
    assert (done.rows, done.damaged, done.unfit, done.unverified) == (6, [], 0, 0)
    assert content(filled) == before
    assert [name for (name,) in stored(filled, "duckdb_tables()", "table_name") if name.endswith(rebuild.NEW)] == []


def test_columns_children_and_sums_that_went_wrong_come_back_from_the_payloads(filled):
    before = content(filled)
    filled.execute("update raw.work_orders set title = 'wrong', due_at = null")
    filled.execute("alter table raw.work_orders drop column status; alter table raw.work_orders add column status varchar")
    filled.execute("delete from raw.work_order_categories; update raw.work_orders_latest set status = null, labour_seconds = 0")
    replay_table(filled, "work_orders", say=SILENT)
    assert stored(filled, "raw.work_orders", "id, version_number, title, status") == [
        (1, 1, "Order 1", "OPEN"), (1, 2, "Changed", "OPEN"), (2, 1, "Order 2", "OPEN"), (3, 1, "Order 3", "OPEN"),
        (3, 2, "Order 3", "OPEN"), (4, 1, "Order 4", "OPEN"),
    ]  # fmt: skip
    assert content(filled)["raw.work_order_categories"] == before["raw.work_order_categories"]
    assert content(filled)["raw.work_orders_latest"] == before["raw.work_orders_latest"]


def test_a_replay_that_dies_before_its_end_leaves_everything_as_it_was(filled):
    before = content(filled)
    filled.execute("update raw.work_orders set title = 'wrong' where id = 2")
    wrong = content(filled)
    for place in ("rebuild.before_swap", "transaction.before_commit"):
        with pytest.raises(Crashed), arm(at(place, 1, crash)):
            replay_table(filled, "work_orders", say=SILENT)
        assert content(filled) == wrong
    replay_table(filled, "work_orders", say=SILENT)
    assert content(filled) == before


def test_a_damaged_payload_is_named_audited_and_keeps_its_columns_and_children(filled):
    before = content(filled)
    filled.execute("update raw.work_orders set payload = replace(payload, 'Order 1', 'Order 9') where id = 1 and version_number = 1")
    filled.execute("update raw.work_orders set payload = null where id = 2")
    filled.execute("update raw.work_orders set payload = left(payload, 20) where id = 4")
    done = replay_table(filled, "work_orders", say=SILENT)
    assert done.damaged == [(NORTHFIELD, 1, 1), (NORTHFIELD, 2, 1), (NORTHFIELD, 4, 1)]
    assert "DAMAGED: record 1 version 1, record 2 version 1, record 4 version 1" in done.said
    assert [row[:-1] for row in content(filled)["raw.work_orders"]] == [row[:-1] for row in before["raw.work_orders"]]
    assert content(filled)["raw.work_order_categories"] == before["raw.work_order_categories"]
    assert list(filled.damaged("work_orders", NORTHFIELD)) == [2, 4]
    said = "3 payloads are not what was stored; the records whose newest version they are will be read again"
    detail = f"{said}: record 1 version 1, record 2 version 1, record 4 version 1"
    assert stored(filled, "ops.audit", "organisation_id, endpoint, action, detail") == [
        (NORTHFIELD, "work_orders", "damaged_payload", detail)
    ]  # fmt: skip


def test_a_check_rebuilds_nothing(filled):
    filled.execute("update raw.work_orders set title = 'wrong', payload = replace(payload, 'Order 2', 'Order 3') where id = 2")
    assert replay_table(filled, "work_orders", is_check=True, say=SILENT).damaged == [(NORTHFIELD, 2, 1)]
    assert stored(filled, "raw.work_orders", "title", "id")[2] == ("wrong",)


def test_any_bit_of_a_hashed_field_that_flips_is_noticed(warehouse):
    record = order(1, extraFields={"a": "1.50"}, timeItems=[labour(600, 500)])
    whole = records.canonical(raw(record), frozenset(), keep_personal=False)
    assert is_intact(whole.payload, whole.content_hash, frozenset())
    for place in range(len(whole.payload)):
        flipped = bytearray(whole.payload)
        flipped[place] ^= 1
        assert not is_intact(bytes(flipped), whole.content_hash, frozenset())


def test_payloads_with_personal_data_and_with_volatile_fields_are_verified_too(warehouse):
    volatile, record = (
        frozenset({"partsAvailability"}),
        order(1, email="a@b.c", url="https://x?sig=1", partsAvailability="LOW", priority=None),
    )
    kept = records.canonical(raw(record), volatile, keep_personal=True)
    assert is_intact(kept.payload, kept.content_hash, volatile)
    assert not is_intact(kept.payload.replace(b"a@b.c", b"x@b.c"), kept.content_hash, volatile)


def test_a_payload_of_a_former_shape_that_cannot_be_verified_is_taken_and_counted(warehouse):
    endpoint = BY_TABLE["work_orders"]
    assert endpoint.shape_version(endpoint.expands) in shapes(endpoint)
    read(warehouse, order(1))
    warehouse.execute("update raw.work_orders set shape_version = 'former', content_hash = 1")
    done = replay_table(warehouse, "work_orders", say=SILENT)
    assert (done.damaged, done.unverified, done.unfit) == ([], 1, 0)


def test_a_payload_that_the_contract_of_today_refuses_keeps_its_columns(filled):
    broken = records.canonical(raw(order(2, title=5)), frozenset(), keep_personal=False)
    change = "update raw.work_orders set payload = ?, content_hash = ? where id = 2"
    filled.execute(change, [broken.payload.decode(), broken.content_hash])
    before = content(filled)
    done = replay_table(filled, "work_orders", say=SILENT)
    assert (done.unfit, done.damaged) == (1, [])
    assert content(filled) == before


def test_the_console_says_how_many_rows_were_rebuilt_and_fails_when_one_is_damaged(filled, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(filled.path.parent))
    filled.execute("update raw.assets set payload = 'x'")
    filled.__exit__(None, None, None)
    whole = CliRunner().invoke(app, ["replay", "--endpoint", "work_orders"])
    said = "6 versions verified and rebuilt, none damaged; the marts show what is new from the next `make refresh` on"
    assert (whole.exit_code, whole.output.splitlines()[1:], whole.output.partition(" in ")[0]) == (0, [said], "  work_orders: 6 versions")
    damaged = CliRunner().invoke(app, ["replay", "--check"])
    assert damaged.exit_code == 1
    assert "DAMAGED: record 1 version 1\n" in damaged.output
    said = "7 versions verified, 1 DAMAGED: the next `make refresh` reads again those that are their record's newest; see ops.audit"
    assert damaged.output.splitlines()[-1] == said

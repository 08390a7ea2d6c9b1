"""Records and companies of a handful of rows for the tests of the core; each builder takes what a test is about, and no more."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from dagster_project.ingest import Reading
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.sync import Run
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.layout import tables
from simulator.api import Simulator
from simulator.instants import from_datetime
from simulator.transport import transport
from simulator.world import World

NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
NORTHFIELD, DECCAN = 101, 102
NORTHFIELD_TOKEN = f"demo-{NORTHFIELD}"
URL = "https://maintainx.test/v1"


def iso(instant: datetime) -> str:
    """Return an instant as the API writes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def ago(**span: float) -> str:
    """Return the instant so long before NOW as the API writes it."""
    return iso(NOW - timedelta(**span))


def order(record_id: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a work order as the list shows it: created `record_id` minutes after a morning in September, open, never changed."""
    at = iso(NOW - timedelta(days=60) + timedelta(minutes=record_id))
    head = {"id": record_id, "sequentialId": record_id, "title": f"Order {record_id}", "status": "OPEN", "assetId": 1}
    return {**head, "createdAt": at, "updatedAt": fields.get("createdAt", at), **fields}


def labour(seconds: float, cents: int = 0, user_id: int = 7) -> dict[str, Any]:
    """Return a time entry of an order."""
    return {"userId": user_id, "durationTotal": seconds, "rowTotal": cents}


def asset(record_id: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an asset as the list shows it."""
    at = ago(days=90)
    return {"id": record_id, "name": f"Asset {record_id}", "createdAt": at, "updatedAt": at, **fields}


def status(record_id: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an interval of an asset's downtime log."""
    at = ago(days=5)
    return {"id": record_id, "assetId": 1, "status": "OFFLINE", "startedAt": at, "createdAt": at, "updatedAt": at, **fields}


def raw(record: object) -> bytes:
    """Return a record as bytes of the API."""
    return msgspec.json.encode(record)


def company(**records: Iterable[dict[str, Any]]) -> World:
    """Return a world of two organisations at NOW; `records` are Northfield's, by table. Deccan has one asset and one order."""
    world = World(from_datetime(NOW - timedelta(days=100)))
    world.add("organizations", NORTHFIELD, {"id": NORTHFIELD, "name": "Northfield Foods", "timeZone": "America/Chicago", "currency": "USD"})
    world.add("organizations", DECCAN, {"id": DECCAN, "name": "Deccan Packaging", "timeZone": "Asia/Kolkata", "currency": "INR"})
    world.add("assets", DECCAN, asset(9001))
    world.add("work_orders", DECCAN, order(9001, assetId=9001))
    for table, rows in {"assets": [asset()], **records}.items():
        for row in rows:
            world.add(table, NORTHFIELD, row)
    world.now = from_datetime(NOW)
    return world


def client_of(simulator: Simulator, token: str = NORTHFIELD_TOKEN) -> MaintainX:
    """Return a client of one organisation, in process."""
    return MaintainX(URL, token, transport=transport(simulator))


def run(run_id: str = "run-1", now: datetime = NOW, **fields: Any) -> Run:
    """Return Northfield's part of a run."""
    return Run(run_id, NORTHFIELD, now, **fields)


def reading(table: str = "work_orders", run_id: str = "run-1", now: datetime = NOW, expands: tuple[str, ...] | None = None) -> Reading:
    """Return what the records of one reading have in common."""
    return Reading(BY_TABLE[table], BY_TABLE[table].expands if expands is None else expands, NORTHFIELD, run_id, now)


def new_warehouse(folder: Path) -> DuckDBWarehouse:
    """Return a warehouse with all its tables in a folder of the test's own, to use with `with`."""
    path = folder / "warehouse.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_empty_file())
    return DuckDBWarehouse(path)


@cache
def _empty_file() -> bytes:  # making the tables anew for each test took longer than the tests
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with DuckDBWarehouse(path):
            pass
        return path.read_bytes()


def stored(warehouse: DuckDBWarehouse, table: str, columns: str = "*", order_by: str = "all") -> list[tuple]:
    """Return rows of a table; `columns` and `order_by` are SQL."""
    return warehouse.query(f"select {columns} from {table} order by {order_by}").rows()


def everything(warehouse: DuckDBWarehouse) -> dict[str, list[tuple]]:
    """Return all rows of all tables that have any."""
    found = {name: stored(warehouse, name) for name in tables()}
    return {name: rows for name, rows in found.items() if rows}

"""Instants in every spelling: they are stored as UTC, or their row goes to quarantine and its neighbours load."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.instants import from_datetime, iso
from tests.faults.plant_builder import Plant

NOON = datetime(2026, 11, 10, 12, 0, 0, tzinfo=UTC)
READ = {
    "utc": ("2026-11-10T12:00:00Z", NOON),
    "milliseconds": ("2026-11-10T12:00:00.123Z", NOON + timedelta(milliseconds=123)),
    "microseconds": ("2026-11-10T12:00:00.123456Z", NOON + timedelta(microseconds=123_456)),
    "nanoseconds": ("2026-11-10T12:00:00.123456789Z", NOON + timedelta(microseconds=123_457)),
    "an offset": ("2026-11-10T14:00:00+02:00", NOON),
    "a negative offset": ("2026-11-10T06:30:00.000-05:30", NOON),
    "an offset over midnight": ("2026-11-11T02:00:00+14:00", NOON),
}
REFUSED: dict[str, Any] = {
    "no zone": "2026-11-10T12:00:00",
    "a date": "2026-11-10",
    "epoch seconds": 1_762_776_000,
    "epoch milliseconds": 1_762_776_000_000,
    "epoch as text": "1762776000",
    "a float": 1_762_776_000.5,
    "words": "yesterday",
    "a leap second": "2026-12-31T23:59:60Z",
    "no such day": "2026-02-30T12:00:00Z",
    "no such hour": "2026-11-10T25:00:00Z",
    "year 0": "0000-01-01T00:00:00Z",
    "nothing": "",
    "a list": ["2026-11-10T12:00:00Z"],
    "true": True,
}
COLUMNS = {"completedAt": "completed_at", "updatedAt": "updated_at", "createdAt": "created_at"}


def spelled(warehouse: DuckDBWarehouse, place: str, value: object) -> Plant:
    """Return a synced plant of ten orders, read three at a time, of which number 5 now has an instant spelled in this way."""
    plant = Plant(warehouse, cap=3)
    plant.orders(range(1, 11))
    plant.sync()
    plant.whisper("work_orders", 5, title="odd", **{place: iso(from_datetime(NOON))})
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {"5": {place: value}}})
    return plant


@pytest.mark.parametrize(
    ("place", "spelling"), [*product(["completedAt", "updatedAt"], READ), ("createdAt", "microseconds"), ("createdAt", "an offset")]
)
def test_c7_an_instant_in_any_spelling_of_a_zone_is_stored_as_utc(warehouse, place, spelling):
    text, instant = READ[spelling]
    plant = spelled(warehouse, place, text)
    plant.reconcile()
    query = f"select {COLUMNS[place]} from raw.work_orders where organisation_id = ? and id = 5 order by version_number desc limit 1"
    assert plant.warehouse.query(query, [plant.organisation]).item() == instant
    assert plant.quarantine() == []


@pytest.mark.parametrize(
    ("place", "spelling"),
    [*product(["completedAt"], REFUSED), *product(["updatedAt", "createdAt"], ["no zone", "epoch milliseconds", "words"])],
)
def test_c7_an_instant_without_a_zone_or_that_is_none_goes_to_quarantine_and_its_neighbours_load(warehouse, place, spelling):
    plant = spelled(warehouse, place, REFUSED[spelling])
    others = [1, 2, 3, 4, 6, 7, 8, 9, 10]
    plant.change_all(others, "changed")
    plant.sync()
    plant.reconcile()
    assert [(id_, status) for id_, _, status, _ in plant.quarantine()] == [(5, "open")]
    assert sorted(id_ for id_, (title, *_) in plant.log().items() if title == "changed") == others
    assert plant.versions(5) == [(1, "first", False)]

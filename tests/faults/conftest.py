"""One warehouse for all tests of a module; each plant in it is an organisation of its own."""

from collections.abc import Generator

import pytest

from dagster_project import first_load
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from tests.faults.plant_builder import Plant


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Generator[DuckDBWarehouse]:
    with DuckDBWarehouse(tmp_path_factory.mktemp("faults") / "warehouse.duckdb") as found:
        yield found


@pytest.fixture
def plant(warehouse: DuckDBWarehouse) -> Plant:
    """A plant of 40 orders, read in pages of 7."""
    found = Plant(warehouse, cap=7)
    found.orders(range(1, 41))
    return found


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a first load of forty orders have eight slices, as one of a large company has."""
    monkeypatch.setattr(first_load, "SLICE_ROWS", 5)

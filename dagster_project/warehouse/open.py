"""Which warehouse the settings name."""

from dagster_project.settings import Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse


def open_warehouse(settings: Settings) -> DuckDBWarehouse:
    """Return the warehouse to use with `with`; entering takes the writer's lock.

    Raises:
        WarehouseBusy: on entering, when another process holds it.
    """
    return DuckDBWarehouse(settings.warehouse_path, settings.duckdb_memory_limit)

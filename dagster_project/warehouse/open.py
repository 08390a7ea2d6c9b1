"""Which warehouse the settings name."""

from dagster_project.settings import Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import Say


def open_warehouse(settings: Settings, say: Say = print) -> DuckDBWarehouse:
    """Return the warehouse to use with `with`; entering takes the right to write, and waits for it as WAREHOUSE_WAIT says.

    Raises:
        WarehouseBusy: on entering, when another process still writes after that.
    """
    return DuckDBWarehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.warehouse_wait or 0, say)

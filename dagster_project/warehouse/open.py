"""Which warehouse the settings name."""

from dagster_project.settings import Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import Say


class NoWarehouse(Exception):
    """There is no warehouse yet: says where it would be, and what makes one."""


def open_warehouse(settings: Settings, say: Say = print) -> DuckDBWarehouse:
    """Return the warehouse to use with `with`; entering takes the right to write, and waits for it as WAREHOUSE_WAIT says.

    Raises:
        WarehouseBusy: on entering, when another process still writes after that.
    """
    return DuckDBWarehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.warehouse_wait or 0, say)


def existing_warehouse(settings: Settings, say: Say = print) -> DuckDBWarehouse:
    """Return the warehouse to use with `with`, as `open_warehouse` does, unless it would have to be made first.

    Raises:
        NoWarehouse: nothing was read yet.
    """
    if not settings.warehouse_path.exists():
        what = f"there is no warehouse in {settings.data_dir} (DATA_DIR)"
        raise NoWarehouse(f"{what}: run `make refresh`, which makes one, or `make restore` when there is a backup")
    return open_warehouse(settings, say)

"""Which warehouse the settings name."""

from typing import TYPE_CHECKING, cast

from dagster_project.settings import BadSettings, Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import Say

if TYPE_CHECKING:
    from dagster_project.warehouse.bigquery import BigQueryWarehouse
    from dagster_project.warehouse.bigquery_jobs import Place


class NoWarehouse(Exception):
    """There is no warehouse yet: says where it would be, and what makes one."""


def open_warehouse(settings: Settings, say: Say = print) -> DuckDBWarehouse:
    """Return the warehouse to use with `with`; entering takes the right to write, and waits for it as WAREHOUSE_WAIT says.

    One in BigQuery has the same verbs; what it has not (the connection to a file) it refuses with NotOnBigQuery.

    Raises:
        BadSettings: WAREHOUSE is bigquery and BIGQUERY_PROJECT is not set.
        WarehouseBusy: on entering, when another process still writes after that.
        BigQueryTrouble: on entering, when BigQuery cannot be reached or refuses.
    """
    if settings.warehouse == "bigquery":
        return cast("DuckDBWarehouse", _in_bigquery(settings, say))
    return DuckDBWarehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.warehouse_wait or 0, say)


def existing_warehouse(settings: Settings, say: Say = print) -> DuckDBWarehouse:
    """Return the warehouse to use with `with`, as `open_warehouse` does, unless it would have to be made first.

    Raises:
        NoWarehouse: nothing was read yet.
    """
    if settings.warehouse == "duckdb" and not settings.warehouse_path.exists():
        what = f"there is no warehouse in {settings.data_dir} (DATA_DIR)"
        raise NoWarehouse(f"{what}: run `make refresh`, which makes one, or `make restore` when there is a backup")
    return open_warehouse(settings, say)


def bigquery_place(settings: Settings) -> "Place":
    """Return where in BigQuery the settings mean.

    Raises:
        BadSettings: BIGQUERY_PROJECT is not set.
    """
    from dagster_project.warehouse.bigquery_jobs import Place  # noqa: PLC0415  Google's library takes a second

    if not settings.bigquery_project:
        raise BadSettings("BIGQUERY_PROJECT is not set: name the Google Cloud project that holds the datasets (docs/bigquery.md)")
    return Place(settings.bigquery_project, settings.bigquery_location, settings.bigquery_dataset_prefix, settings.bigquery_endpoint)


def _in_bigquery(settings: Settings, say: Say) -> "BigQueryWarehouse":
    from dagster_project.warehouse.bigquery import BigQueryWarehouse  # noqa: PLC0415

    return BigQueryWarehouse(bigquery_place(settings), settings.warehouse_wait or 0, say)

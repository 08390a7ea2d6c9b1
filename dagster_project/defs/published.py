"""What comes after the models: the version that people read, and the backup."""

from typing import TYPE_CHECKING, cast

import dagster as dg

from dagster_project import backup, publish, refresh, settings
from dagster_project.defs.models import prepared_manifest
from dagster_project.defs.resources import OWNERS, WRITER, WarehouseResource
from dagster_project.warehouse.lease import wall_clock

if TYPE_CHECKING:
    from dagster_project.warehouse.bigquery import BigQueryWarehouse


def published_asset(marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset `published/marts`, which waits for all marts."""

    @dg.asset(
        key=["published", "marts"],
        description="Marts and ops as a read-only DuckDB file for dashboards and analysts: a folder per version, CURRENT names the one to "
        "read, three are kept. Unchanged content is not published again.",
        group_name="published",
        kinds={"duckdb"},
        owners=OWNERS,
        deps=marts,
        pool=WRITER,
    )
    def published_marts(warehouse: WarehouseResource) -> dg.MaterializeResult:
        known_at = refresh.last_known_at(warehouse.opened)
        if known_at is None:
            raise refresh.NothingReadable("no organisation has been read to its end yet: look at the check organisation_fresh")
        done = publish.publish(settings.load(), warehouse.opened, known_at, known_at)
        return dg.MaterializeResult(
            metadata={
                "version": done.version,
                "path": dg.MetadataValue.path(str(done.path)),
                "known_at": dg.MetadataValue.timestamp(done.known_at),
                "dagster/row_count": done.rows,
                "kpis reported": done.reported,
                "is_new": done.is_new,
            }
        )

    return published_marts


@dg.asset(
    key=["ops", "backup"],
    description="What no rebuild can bring back (the raw log, what was reported, quarantine, state) as Parquet, one immutable folder each.",
    group_name="published",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
    deps=[["published", "marts"]],
    pool=WRITER,
)
def backed_up(warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Write a backup; of a warehouse in BigQuery, snapshots of its tables."""
    if settings.load().warehouse == "bigquery":
        stamp = cast("BigQueryWarehouse", warehouse.opened).snapshot(wall_clock())
        return dg.MaterializeResult(metadata={"snapshots": f"snapshots.*_{stamp}"})
    folder = backup.write_backup(warehouse.opened.connection, settings.load().backup_dir)
    return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(str(folder))})


@dg.definitions
def published() -> dg.Definitions:
    """Return the assets that come after the models."""
    nodes = prepared_manifest()["nodes"].values()
    marts = [
        dg.AssetKey(["marts", node["name"]]) for node in nodes if node["resource_type"] == "model" and node["config"]["schema"] == "marts"
    ]
    return dg.Definitions(assets=[published_asset(marts), backed_up])

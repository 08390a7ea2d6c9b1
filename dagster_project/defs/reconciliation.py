"""The asset that compares the source with the log and heals the differences."""

from itertools import chain

import dagster as dg

from dagster_project import reconcile, refresh
from dagster_project.defs.resources import (
    OWNERS,
    WRITER,
    MaintainXResource,
    WarehouseResource,
    organisations_of,
)
from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.reconcile import Comparison
from dagster_project.refresh import Reading


class Scope(dg.Config):
    """What to reconcile."""

    is_full: bool = False
    """All of history, not today's part of it."""


@dg.asset(
    key=["ops", "reconciliation"],
    description="The source's ids, content and sums against the log, for each endpoint: missing, ghost and stale records, and what was "
    "healed by reading them again. Costs one request for 200 records and one for each absentee.",
    group_name="ops",
    kinds={"python", "polars", "duckdb"},
    owners=OWNERS,
    deps=[["raw", endpoint.table] for endpoint in ENDPOINTS],
    pool=WRITER,
)
def reconciliation(
    context: dg.AssetExecutionContext, config: Scope, maintainx: MaintainXResource, warehouse: WarehouseResource
) -> dg.MaterializeResult:
    """Compare and heal."""
    found: dict[int, list[Comparison]] = {}
    for one in organisations_of(context, maintainx):
        reading = maintainx.reading(one, warehouse.opened)
        if reading is None:
            context.log.warning(f"organisation {one} failed earlier in this run: not reconciled")
            continue
        try:
            found[one] = compare(reading, config.is_full)
        except MaintainXError as error:
            maintainx.fail(one, warehouse.opened, error)
    by_organisation = {str(one): as_metadata(comparisons) for one, comparisons in found.items()}
    return dg.MaterializeResult(metadata=as_metadata(list(chain(*found.values()))) | {"organisations": by_organisation})


def compare(reading: Reading, is_full: bool) -> list[Comparison]:
    """Reconcile every endpoint; in a run that has read them just now (job refresh), those that are due."""
    rows = reading.warehouse.query(
        "select endpoint, status from ops.endpoint_runs where run_id = ? and organisation_id = ? and kind = 'sync'",
        list(reading.key.values()),
    )
    read = dict(rows.iter_rows())
    if not read:
        found = [refresh.sync_and_reconcile(endpoint, reading, is_full) for endpoint in ENDPOINTS]
        return [one for one in found if one]
    due = [one for one in ENDPOINTS if read.get(one.table) == "ok" and reconcile.is_due(one, reading.warehouse, reading.run)]
    return [refresh.reconcile_endpoint(endpoint, reading, is_full) for endpoint in due]


def as_metadata(found: list[Comparison]) -> dict:
    """Return what an event says of some comparisons."""
    return {
        "endpoints": len(found),
        "source_rows": sum(one.source_rows for one in found),
        "missing": sum(one.missing for one in found),
        "ghost": sum(one.ghost for one in found),
        "stale": sum(one.stale for one in found),
        "healed": sum(one.healed for one in found),
        "requests": sum(one.report.requests for one in found if one.report),
    }


@dg.definitions
def reconciliations() -> dg.Definitions:
    """Return the asset of the comparison."""
    return dg.Definitions(assets=[reconciliation])

"""The asset that compares the source with the log and heals the differences."""

from itertools import chain

import dagster as dg
from pydantic import Field

from dagster_project import steps
from dagster_project.comparison import Comparison
from dagster_project.defs.resources import (
    OWNERS,
    WRITER,
    MaintainXResource,
    WarehouseResource,
    organisations_of,
)
from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.organisation_run import OrganisationRun


class Scope(dg.Config):
    """What to compare, and what to let through."""

    is_full: bool = Field(default=False, description="Compare all of history, whatever share of the requests it takes.")
    accept: list[str] = Field(
        default=[],
        description="Endpoints (such as work_orders) to go on with in this run although a breaker trips: too many of their records are "
        "absent, or break the contract. Look at the token's rights first. Each is written to ops.audit.",
    )


@dg.asset(
    key=["ops", "reconciliation"],
    description="The source's ids, content and sums against the log, for each endpoint: missing, ghost and stale records, and what was "
    "healed by reading them again. Costs one request for 200 records and one for each absentee; of work orders it reads as much history "
    "as RECONCILE_SHARE of the token's requests pays for.",
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
        part = maintainx.part(one, warehouse.opened)
        if part is None:
            context.log.warning(f"organisation {one} failed earlier in this run: not reconciled")
            continue
        try:
            found[one] = compare(part.accepting(config.accept), config.is_full)
        except MaintainXError as error:
            maintainx.fail(one, warehouse.opened, error)
    by_organisation = {str(one): as_metadata(comparisons) for one, comparisons in found.items()}
    return dg.MaterializeResult(metadata=as_metadata(list(chain(*found.values()))) | {"organisations": by_organisation})


def compare(part: OrganisationRun, is_full: bool) -> list[Comparison]:
    """Reconcile every endpoint; in a run that has read them just now (job refresh), those that are due, or all when asked for."""
    rows = part.warehouse.query(
        "select endpoint, status from ops.endpoint_runs where run_id = ? and organisation_id = ? and kind = 'sync'",
        list(part.key.values()),
    )
    read = dict(rows.iter_rows())
    if not read:
        found = [steps.sync_and_reconcile(endpoint, part, is_full) for endpoint in ENDPOINTS]
    elif is_full:
        found = [steps.reconcile_endpoint(endpoint, part, is_full) for endpoint in ENDPOINTS if read.get(endpoint.table) == "ok"]
    else:
        found = [steps.reconcile_if_due(endpoint, part) for endpoint in ENDPOINTS if read.get(endpoint.table) == "ok"]
    return [one for one in found if one]


def as_metadata(found: list[Comparison]) -> dict:
    """Return what an event says of some comparisons."""
    return {
        "endpoints": len(found),
        "source_rows": sum(one.source_rows for one in found),
        "missing": sum(one.missing for one in found),
        "ghost": sum(one.ghost for one in found),
        "stale": sum(one.stale for one in found),
        "late_rows": sum(one.late_rows for one in found),
        "healed": sum(one.healed for one in found),
        "requests": sum(one.report.requests for one in found if one.report),
    }


@dg.definitions
def reconciliations() -> dg.Definitions:
    """Return the asset of the comparison."""
    return dg.Definitions(assets=[reconciliation])

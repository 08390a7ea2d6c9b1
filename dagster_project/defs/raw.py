"""One asset for each endpoint: its versions in the raw log."""

import dagster as dg
from pydantic import Field

from dagster_project import labour, steps
from dagster_project.defs.resources import (
    ONE_RUN,
    ORGANISATIONS,
    OWNERS,
    WRITER,
    MaintainXResource,
    WarehouseResource,
    organisations_of,
    record,
)
from dagster_project.maintainx.endpoints import ENDPOINTS, Endpoint
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.visit import EndpointReport

LABOUR = (
    f"Every LABOUR_EVERY_HOURS the orders at work and those done in the last {labour.DONE_DAYS} days are read again, for time and costs: "
    "these change an order without its updatedAt moving (kind `labour` in ops.endpoint_runs)."
)


class Breakers(dg.Config):
    """Whether to go on where an endpoint looks wrong."""

    accept: bool = Field(
        default=False,
        description="Go on in this run although a breaker trips: too many of the endpoint's records are absent, or break the contract. "
        "Look at the token's rights first. It is written to ops.audit.",
    )


def raw_asset(endpoint: Endpoint, priority: int) -> dg.AssetsDefinition:
    """Return the asset `raw/<table>` of one endpoint."""

    @dg.asset(
        key=["raw", endpoint.table],
        description=f"{endpoint.description}: every version ever read, appended from GET {endpoint.path} ({endpoint.walk} walk)."
        + (f" {LABOUR}" if endpoint.table == labour.TABLE else ""),
        group_name="raw",
        kinds={"python", "polars", "duckdb"},
        owners=OWNERS,
        partitions_def=ORGANISATIONS,
        backfill_policy=ONE_RUN,
        deps=[["ops", "sites"]],
        pool=WRITER,
        op_tags={"dagster/priority": str(priority)},
    )
    def raw_table(
        context: dg.AssetExecutionContext, config: Breakers, maintainx: MaintainXResource, warehouse: WarehouseResource
    ) -> dg.MaterializeResult:
        accepted = [endpoint.table] if config.accept else []
        reports = [
            report
            for organisation_id in organisations_of(context, maintainx)
            for report in read(context, endpoint, organisation_id, maintainx, warehouse, accepted)
        ]
        read_well = [report for report in reports if report.status == "ok"]
        return dg.MaterializeResult(
            metadata={
                "rows": sum(report.counts.fetched for report in read_well),
                "versions": sum(appended(report) for report in read_well),
                "requests": sum(report.requests for report in reports),
                "organisations": [report.organisation_id for report in read_well if report.kind == "sync"],
            }
        )

    return raw_table


def read(  # noqa: PLR0917
    context: dg.AssetExecutionContext,
    endpoint: Endpoint,
    organisation_id: int,
    maintainx: MaintainXResource,
    warehouse: WarehouseResource,
    accepted: list[str],
) -> list[EndpointReport]:
    """Read one endpoint of one organisation, and its labour when that is due; nothing when the organisation has failed already."""
    part = maintainx.part(organisation_id, warehouse.opened)
    if part is None:
        context.log.warning(f"organisation {organisation_id} failed earlier in this run: {endpoint.table} was not read")
        return []
    part = part.accepting(accepted)
    try:
        synced = steps.sync_endpoint(endpoint, part)
        swept = steps.sweep_if_due(endpoint, part, synced) if synced.status == "ok" else None
    except MaintainXError as error:
        maintainx.fail(organisation_id, warehouse.opened, error)
        return []
    if synced.status == "ok":
        record(context, organisation_id, as_metadata(synced, swept))
    reports = [report for report in (synced, swept) if report]
    for report in reports:
        if report.status != "ok":
            context.log.warning(f"organisation {organisation_id}: {endpoint.table} ({report.kind}) {report.status}: {report.reason}")
    return reports


def as_metadata(report: EndpointReport, swept: EndpointReport | None) -> dict:
    """Return what an event says of one reading, and of the sweep that came with it."""
    counts = report.counts
    metadata = {
        "rows": counts.fetched,
        "versions": appended(report),
        "deleted": counts.deleted,
        "quarantined": counts.quarantined,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
    }
    if report.watermark_to:
        metadata["watermark"] = dg.MetadataValue.timestamp(report.watermark_to)
    if swept:
        metadata |= {"labour_rows": swept.counts.fetched, "labour_versions": appended(swept), "labour_requests": swept.requests}
    return metadata


def appended(report: EndpointReport) -> int:
    """Return how many versions a reading appended, tombstones included."""
    return report.counts.inserted + report.counts.updated + report.counts.deleted


@dg.definitions
def raw() -> dg.Definitions:
    """Return the assets of all endpoints; they run in the order of ENDPOINTS."""
    return dg.Definitions(assets=[raw_asset(endpoint, -place) for place, endpoint in enumerate(ENDPOINTS)])

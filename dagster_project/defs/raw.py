"""One asset for each endpoint: its versions in the raw log."""

import dagster as dg

from dagster_project import refresh
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
from dagster_project.sync import EndpointReport


def raw_asset(endpoint: Endpoint, priority: int) -> dg.AssetsDefinition:
    """Return the asset `raw/<table>` of one endpoint."""

    @dg.asset(
        key=["raw", endpoint.table],
        description=f"{endpoint.description}: every version ever read, appended from GET {endpoint.path} ({endpoint.walk} walk).",
        group_name="raw",
        kinds={"python", "polars", "duckdb"},
        owners=OWNERS,
        partitions_def=ORGANISATIONS,
        backfill_policy=ONE_RUN,
        deps=[["ops", "sites"]],
        pool=WRITER,
        op_tags={"dagster/priority": str(priority)},
    )
    def raw_table(context: dg.AssetExecutionContext, maintainx: MaintainXResource, warehouse: WarehouseResource) -> dg.MaterializeResult:
        reports = [
            report
            for organisation_id in organisations_of(context, maintainx)
            if (report := read(context, endpoint, organisation_id, maintainx, warehouse))
        ]
        read_well = [report for report in reports if report.status == "ok"]
        return dg.MaterializeResult(
            metadata={
                "rows": sum(report.counts.fetched for report in read_well),
                "versions": sum(appended(report) for report in read_well),
                "requests": sum(report.requests for report in reports),
                "organisations": [report.organisation_id for report in read_well],
            }
        )

    return raw_table


def read(
    context: dg.AssetExecutionContext, endpoint: Endpoint, organisation_id: int, maintainx: MaintainXResource, warehouse: WarehouseResource
) -> EndpointReport | None:
    """Read one endpoint of one organisation; None when the organisation has failed already."""
    reading = maintainx.reading(organisation_id, warehouse.opened)
    if reading is None:
        context.log.warning(f"organisation {organisation_id} failed earlier in this run: {endpoint.table} was not read")
        return None
    try:
        report = refresh.sync_endpoint(endpoint, reading)
    except MaintainXError as error:
        maintainx.fail(organisation_id, warehouse.opened, error)
        return None
    if report.status == "ok":
        record(context, organisation_id, as_metadata(report))
    else:
        context.log.warning(f"organisation {organisation_id}: {endpoint.table} {report.status}: {report.reason}")
    return report


def as_metadata(report: EndpointReport) -> dict:
    """Return what an event says of one reading."""
    counts = report.counts
    metadata = {
        "rows": counts.fetched,
        "versions": appended(report),
        "deleted": counts.deleted,
        "quarantined": counts.quarantined,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
    }
    return metadata | ({"watermark": dg.MetadataValue.timestamp(report.watermark_to)} if report.watermark_to else {})


def appended(report: EndpointReport) -> int:
    """Return how many versions a reading appended, tombstones included."""
    return report.counts.inserted + report.counts.updated + report.counts.deleted


@dg.definitions
def raw() -> dg.Definitions:
    """Return the assets of all endpoints; they run in the order of ENDPOINTS."""
    return dg.Definitions(assets=[raw_asset(endpoint, -place) for place, endpoint in enumerate(ENDPOINTS)])

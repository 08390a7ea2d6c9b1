"""The first and the last step of reading: which organisations and sites there are, and how the run went for each."""

import dagster as dg

from dagster_project import organisations
from dagster_project.defs.resources import (
    ORGANISATIONS,
    OWNERS,
    WRITER,
    MaintainXResource,
    WarehouseResource,
    organisations_of,
    runs_of,
)
from dagster_project.maintainx.endpoints import ENDPOINTS

KPI_REPORTED = dg.AssetSpec(
    ["ops", "kpi_reported"],
    description="What each publication said of each KPI for the first time: never rebuilt. Written by `published/marts`, read by the "
    "models of the next run, which mark a closed figure that differs as restated.",
    group_name="inputs",
    kinds={"duckdb"},
    owners=OWNERS,
)


@dg.asset(
    key=["ops", "sites"],
    description="The organisations, their sites, the targets (ops.kpi_targets) and the operating hours (ops.site_hours, ops.site_holidays) "
    "of those, from sites.toml and the API, rewritten by each run. "
    "Adds each organisation to the partitions.",
    group_name="inputs",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    pool=WRITER,
)
def sites(context: dg.AssetExecutionContext, maintainx: MaintainXResource, warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Write the sites and register the partitions."""
    sources = maintainx.sources()
    organisations.write_sites(warehouse.opened, list(sources.values()))
    context.instance.add_dynamic_partitions(str(ORGANISATIONS.name), [str(one) for one in sources])
    names = {str(one): source.organisation.name or "" for one, source in sources.items()}
    return dg.MaterializeResult(metadata={"organisations": names, "rows": sum(len(one.organisation.sites) for one in sources.values())})


@dg.asset(
    key=["ops", "runs"],
    description="How each run ended for each organisation. From a finished run on, the versions it read count in the models.",
    group_name="ops",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    deps=[*(["raw", endpoint.table] for endpoint in ENDPOINTS), ["ops", "reconciliation"]],
    pool=WRITER,
)
def runs(context: dg.AssetExecutionContext, maintainx: MaintainXResource, warehouse: WarehouseResource) -> dg.MaterializeResult:
    """End the run of each organisation; one that failed is named by the check `organisation_fresh`."""
    chosen = organisations_of(context, maintainx)
    failed = {one: why for one in chosen if (why := maintainx.finish(one, warehouse.opened))}
    for one, why in failed.items():
        context.log.warning(f"organisation {one} failed, its last good data is shown: {why}")
    rows = [runs_of(warehouse.opened, context.run.run_id, one)[0] for one in chosen]
    return dg.MaterializeResult(
        metadata={
            "requests": sum(row["requests"] or 0 for row in rows),
            "finished": [one for one in chosen if one not in failed],
            "failed": {str(one): why for one, why in failed.items()},
        }
    )


@dg.definitions
def operations() -> dg.Definitions:
    """Return the assets of the run itself."""
    return dg.Definitions(assets=[sites, runs, KPI_REPORTED])

"""The checks of what was read, one verdict for each organisation, so that none hides another's failure."""

import warnings
from collections.abc import Iterator

import dagster as dg

from dagster_project.defs.resources import (
    ORGANISATIONS,
    MaintainXResource,
    WarehouseResource,
    chosen_partitions,
    failed_organisations,
    organisations_of,
)
from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.warehouse.duckdb import DuckDBWarehouse

MATCHES = "matches_source"
WAS_READ = "was_read"
FRESH = "organisation_fresh"


def spec(name: str, asset: list[str], description: str, *after: list[str]) -> dg.AssetCheckSpec:
    """Return a check with a verdict for each organisation; it never blocks the models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitioned checks
        return dg.AssetCheckSpec(name, asset=asset, description=description, additional_deps=after, partitions_def=ORGANISATIONS)


@dg.multi_asset_check(
    specs=[
        *(
            spec(MATCHES, ["raw", one.table], "At its last reconciliation the log held what the source held.", ["ops", "reconciliation"])
            for one in ENDPOINTS
        ),
        *(
            spec(WAS_READ, ["raw", one.table], "The last run read it. A warning: it is not in the customer's plan.", ["ops", "runs"])
            for one in ENDPOINTS
        ),
    ],
    can_subset=True,
)
def raw_checks(
    context: dg.AssetCheckExecutionContext, maintainx: MaintainXResource, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckEvaluation]:
    """Judge each endpoint of each organisation by what the run wrote to ops."""
    organisations = organisations_of(context, maintainx)
    verdicts = {MATCHES: matches_source, WAS_READ: was_read}
    for key in sorted(context.selected_asset_check_keys):
        found = {one: verdicts[key.name](warehouse.opened, one, key.asset_key.path[-1]) for one in organisations}
        yield from evaluations(context, key, {one: verdict for one, verdict in found.items() if verdict})


@dg.multi_asset_check(
    specs=[
        spec(
            FRESH,
            ["raw", "organizations"],
            "The organisation was read to its end; else the marts show its last good data, and the run ends as failed.",
            ["ops", "runs"],
        )
    ],
    can_subset=True,
)
def run_checks(
    context: dg.AssetCheckExecutionContext, maintainx: MaintainXResource, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckEvaluation]:
    """Name the organisations that failed and let the run end as failed; models and publication do not wait for this.

    Raises:
        dagster.Failure: an organisation failed.
    """
    organisations = organisations_of(context, maintainx)
    failed = failed_organisations(warehouse.opened, context.op_execution_context.run_id, organisations)
    for key in context.selected_asset_check_keys:
        yield from evaluations(context, key, {one: verdict(one not in failed, failed.get(one)) for one in organisations})
    if failed:
        raise dg.Failure("; ".join(f"organisation {one} failed: {why}" for one, why in failed.items()), allow_retries=False)


Verdict = tuple[bool, dg.AssetCheckSeverity, str | None, dict]


def verdict(passed: bool, reason: str | None, metadata: dict | None = None, *, only_warns: bool = False) -> Verdict:
    """Return what a check says of one organisation."""
    return passed, dg.AssetCheckSeverity.WARN if only_warns else dg.AssetCheckSeverity.ERROR, reason, metadata or {}


def matches_source(warehouse: DuckDBWarehouse, organisation_id: int, table: str) -> Verdict | None:
    """Judge the last reconciliation; None before the first. Differences that were healed are no failure.

    Records that came to light below the overlap are healed too, but a warning: the next ones would wait for the next sweep.
    """
    rows = warehouse.query(
        "select * from ops.reconciliation where organisation_id = ? and endpoint = ? order by reconciled_at desc, run_id desc limit 1",
        [organisation_id, table],
    ).to_dicts()
    if not rows:
        return None
    figures = {name: value for name, value in rows[0].items() if isinstance(value, int) and name != "organisation_id"}
    is_equal, is_late = rows[0]["status"] in ("matched", "healed"), bool(rows[0]["late_rows"])
    return verdict(is_equal and not is_late, rows[0]["reason"], figures | {"status": rows[0]["status"]}, only_warns=is_equal)


def was_read(warehouse: DuckDBWarehouse, organisation_id: int, table: str) -> Verdict | None:
    """Judge the last reading; None before the first. An endpoint that is not in the customer's plan is a warning."""
    rows = warehouse.query(
        """select * from ops.endpoint_runs where organisation_id = ? and endpoint = ? and kind = 'sync'
        order by read_at desc, run_id desc limit 1""",
        [organisation_id, table],
    ).to_dicts()
    if not rows:
        return None
    return verdict(rows[0]["status"] == "ok", rows[0]["reason"], {"status": rows[0]["status"]}, only_warns=rows[0]["status"] == "skipped")


def evaluations(
    context: dg.AssetCheckExecutionContext, key: dg.AssetCheckKey, verdicts: dict[int, Verdict]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Give one evaluation for each organisation; a run that was launched without partitions gets one for the run as well.

    An AssetCheckResult would know one partition, that of its run, and fail in a run that has none.
    """
    for one, verdict_of_one in verdicts.items():
        yield evaluation(key, verdict_of_one, str(one))
    if verdicts and not chosen_partitions(context):
        yield evaluation(key, of_all(verdicts), None)


def of_all(verdicts: dict[int, Verdict]) -> Verdict:
    """Return the verdict of the whole run: the worst of its organisations', and which they are."""
    bad = {one: (severity, reason or "failed") for one, (passed, severity, reason, _) in verdicts.items() if not passed}
    only_warns = bool(bad) and all(severity is dg.AssetCheckSeverity.WARN for severity, _ in bad.values())
    reasons = {str(one): reason for one, (_, reason) in bad.items()}
    return verdict(not bad, "; ".join(reasons.values()) or None, reasons, only_warns=only_warns)


def evaluation(key: dg.AssetCheckKey, judged: Verdict, partition: str | None) -> dg.AssetCheckEvaluation:
    """Return a verdict as Dagster's event."""
    passed, severity, reason, metadata = judged
    described = {
        name: dg.MetadataValue.int(value) if isinstance(value, int) else dg.MetadataValue.text(value) for name, value in metadata.items()
    }
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key, check_name=key.name, passed=passed, severity=severity, description=reason, metadata=described,
        blocking=False, partition=partition,
    )  # fmt: skip


@dg.definitions
def checks() -> dg.Definitions:
    """Return the checks of the raw log and of the run."""
    return dg.Definitions(asset_checks=[raw_checks, run_checks])

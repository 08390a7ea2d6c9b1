"""The dbt models as assets and their tests as checks, built in process by the same function as the command line's."""

import fcntl
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from dagster_project import models, refresh, settings
from dagster_project.defs.resources import OWNERS, WRITER, WarehouseResource
from dagster_project.frames.contract import contract
from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.models import FAILURES, ModelsFailed, NodeReport

UNIQUE_ID = "dagster_dbt/unique_id"
DONE = {"success", "pass", "warn"}
# the asset that writes a table, where it is not the table's namesake
WRITERS = {child.name: ["raw", endpoint.table] for endpoint in ENDPOINTS for child in contract(endpoint.table).children} | {
    "endpoint_runs": ["ops", "runs"],
    "kpi_targets": ["ops", "sites"],
    "site_hours": ["ops", "sites"],
    "site_holidays": ["ops", "sites"],
}


class Translator(DagsterDbtTranslator):
    """What a model is called in Dagster: <schema>/<name>; a source is the asset that writes it."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return the key of a model or a source."""
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(WRITERS.get(name, [dbt_resource_props["source_name"], name]))
        return dg.AssetKey([dbt_resource_props["config"]["schema"], name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the layer: the folder below models/."""
        return dbt_resource_props["fqn"][1]

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Return who answers for the model."""
        return OWNERS

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: object
    ) -> dg.AssetCheckSpec | None:
        """Return the check of a test; a fact across models is a check of the first model it names."""
        test = manifest["nodes"].get(unique_id)
        parents = test["depends_on"]["nodes"] if test else []
        if test is None or test.get("attached_node") or len(parents) < 2:
            return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)  # ty: ignore
        if asset_spec.metadata.get(UNIQUE_ID) != parents[0]:
            return None
        others = [self.get_asset_spec(manifest, parent, None).key for parent in parents[1:]]
        return dg.AssetCheckSpec(
            test["name"], asset=asset_spec.key, description=test["description"] or None, additional_deps=others, blocking=True,
            metadata={UNIQUE_ID: unique_id},
        )  # fmt: skip


def built(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Build the selected models as of the last finished run, and give one result for each model and test.

    Raises:
        NothingReadable: no run has finished yet.
        dagster.Failure: a model or test failed; names each.
    """
    known_at = refresh.last_known_at(warehouse.opened)
    if known_at is None:
        raise refresh.NothingReadable("no organisation has been read to its end yet: look at the check organisation_fresh")
    nodes: list[NodeReport] = []
    failed: ModelsFailed | None = None
    with warehouse.opened.released():
        try:
            models.build(settings.load(), known_at, known_at, selected(context), nodes.append)
        except ModelsFailed as error:
            failed = error
    yield from results(context, nodes, warehouse.opened.row_counts("intermediate", "marts"))
    if failed:
        raise dg.Failure(str(failed), allow_retries=False)


def selected(context: dg.AssetExecutionContext) -> str | None:
    """Return dbt's selection of the assets and checks to run; None for all of them."""
    if not context.is_subset:
        return None
    definition = context.assets_def
    of_assets = [spec.metadata[UNIQUE_ID] for spec in definition.specs if spec.key in context.selected_asset_keys]
    of_checks = [spec.metadata[UNIQUE_ID] for spec in definition.check_specs if spec.key in context.selected_asset_check_keys]
    return " ".join(unique_id.split(".")[2] for unique_id in [*of_assets, *of_checks])


def results(
    context: dg.AssetExecutionContext, nodes: list[NodeReport], rows: Mapping[tuple[str, str], int]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Give the result of each model and test that ran, in the order in which they finished."""
    assets = {spec.metadata[UNIQUE_ID]: spec.key for spec in context.assets_def.specs}
    checks = {spec.metadata[UNIQUE_ID]: spec.key for spec in context.assets_def.check_specs}
    for node in nodes:
        if node.unique_id in assets and node.status in DONE:
            key = assets[node.unique_id]
            schema, name = key.path
            count = {"dagster/row_count": rows[schema, name]} if (schema, name) in rows else {}
            yield dg.MaterializeResult(asset_key=key, metadata={"seconds": round(node.seconds, 3)} | count)
        elif node.unique_id in checks and node.status in DONE | FAILURES:
            key = checks[node.unique_id]
            severity = dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR
            yield dg.AssetCheckResult(
                asset_key=key.asset_key, check_name=key.name, passed=node.status == "pass", severity=severity, description=node.message,
                metadata={"seconds": round(node.seconds, 3)},
            )  # fmt: skip


def prepared_manifest() -> Mapping[str, Any]:
    """Return dbt's manifest, made when it is missing; webserver, daemon and runs load this at once, and one of them makes it."""
    found = settings.load()
    found.dbt_target_dir.mkdir(parents=True, exist_ok=True)
    with (found.dbt_target_dir / "manifest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return models.manifest(found)


@dg.definitions
def dbt_models() -> dg.Definitions:
    """Return the assets of the dbt project; its manifest is made when it is missing, so a fresh clone loads."""
    known = DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)

    @dbt_assets(manifest=prepared_manifest(), dagster_dbt_translator=Translator(known), name="models", pool=WRITER)
    def build_models(context: dg.AssetExecutionContext, warehouse: WarehouseResource):
        yield from built(context, warehouse)

    return dg.Definitions(assets=[build_models])

"""The rules of the dbt project, read off its manifest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project import models
from dagster_project.settings import Settings

pytestmark = pytest.mark.dbt
DBT = models.PROJECT_DIR
NO_KPIS = {"kpi_definitions", "kpi_restatements"}  # tables about them
# the present state; that, placed where assets stood; where they stood; earlier versions too; the runs themselves
KINDS = {"state", "placed", "places", "history", "runs"}
UNITS = {"hours", "days", "share", "ratio", "orders", "requests", "failures", "failures_per_1000_hours", "amount", "crew_weeks"}


@pytest.fixture(scope="module")
def manifest(dbt_target_dir: Path) -> dict[str, Any]:
    class AtTarget(Settings):
        @property
        def dbt_target_dir(self) -> Path:
            return dbt_target_dir

    return dict(models.manifest(AtTarget(data_dir=dbt_target_dir)))


@pytest.fixture(scope="module")
def nodes(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def upstream(nodes: dict[str, dict[str, Any]], key: str) -> Iterator[str]:
    for parent in nodes[key]["depends_on"]["nodes"]:
        if parent in nodes:
            yield parent
            yield from upstream(nodes, parent)


def test_every_model_has_a_yml_of_its_own_with_definition_grain_and_roll_up(nodes: dict[str, dict[str, Any]]) -> None:
    for node in nodes.values():
        assert node["patch_path"], node["name"]
        assert Path(node["patch_path"].split("://")[1]).stem == node["name"]
        assert "Grain: " in node["description"], node["name"]
        assert "Roll up: " in node["description"], node["name"]


def test_every_yml_describes_a_model_that_exists(nodes: dict[str, dict[str, Any]]) -> None:
    described = {path.stem for path in (DBT / "models").rglob("*.yml")} - {"sources"}
    assert described == {node["name"] for node in nodes.values()}


def test_every_model_is_of_the_present_state_or_of_history_or_of_the_runs_themselves(nodes: dict[str, dict[str, Any]]) -> None:
    assert not [node["name"] for node in nodes.values() if len(KINDS & set(node["tags"])) != 1]
    assert {node["name"] for node in nodes.values() if "runs" in node["tags"]} == {"stg_runs", "stg_readings", "stg_kpi_reported"}


def test_only_what_says_where_assets_stood_reads_their_versions(nodes: dict[str, dict[str, Any]]) -> None:
    placing = {"stg_asset_versions", "stg_asset_last_types", "int_asset_places", "dim_asset_versions"}
    assert {node["name"] for node in nodes.values() if "places" in node["tags"]} == placing


def beneath(nodes: dict[str, dict[str, Any]], kind: str) -> set[tuple[str, str]]:
    """The models of a kind, each with the kinds of what it hangs on."""
    keys = [key for key in nodes if kind in nodes[key]["tags"]]
    return {(nodes[key]["name"], tag) for key in keys for parent in upstream(nodes, key) for tag in KINDS & set(nodes[parent]["tags"])}


def test_no_state_model_hangs_on_history_or_on_where_assets_stood(nodes: dict[str, dict[str, Any]]) -> None:
    assert {(name, kind) for name, kind in beneath(nodes, "state") if kind in {"placed", "places", "history"}} == set()


def test_a_placed_model_hangs_on_where_assets_stood_and_on_no_other_history(nodes: dict[str, dict[str, Any]]) -> None:
    found = beneath(nodes, "placed")
    assert {name for name, kind in found if kind == "history"} == set()
    assert {name for name, kind in found if kind == "places"} == {node["name"] for node in nodes.values() if "placed" in node["tags"]}


def test_a_kpi_is_history_exactly_if_its_definition_says_so(nodes: dict[str, dict[str, Any]]) -> None:
    kpis = [node for node in nodes.values() if "formula" in node["meta"]]
    assert {node["name"] for node in kpis if node["meta"]["is_history"]} == {node["name"] for node in kpis if "history" in node["tags"]}


def test_every_kpi_model_is_in_the_union_and_its_meta_is_whole(nodes: dict[str, dict[str, Any]]) -> None:
    kpis = {node["name"]: node["meta"] for node in nodes.values() if node["name"].startswith("kpi_") and node["name"] not in NO_KPIS}
    united = {nodes[parent]["name"] for parent in nodes["model.maintainx_analytics.kpis"]["depends_on"]["nodes"] if parent in nodes}
    assert {name for name in united if name.startswith("kpi_")} == set(kpis)
    keys = {"label", "unit", "better", "target", "definition_version", "is_history", "standard_reference", "formula"}
    optional = {"family", "interval", "scopes", "per_asset"}
    assert {name for name, meta in kpis.items() if not keys <= set(meta) <= keys | optional} == set()
    assert {meta["unit"] for meta in kpis.values()} <= UNITS
    assert {meta["better"] for meta in kpis.values()} <= {"higher", "lower", "neutral"}


def test_every_kpi_model_has_a_unit_test(manifest: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> None:
    tested = {unit["model"] for unit in manifest["unit_tests"].values()}
    assert {node["name"] for node in nodes.values() if "formula" in node["meta"]} <= tested


def test_every_table_and_mart_is_tested_for_its_grain(manifest: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> None:
    tested = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and (test.get("test_metadata") or {}).get("name") == "one_row_per"
    }
    ungrained = {nodes[key]["name"] for key in nodes if key not in tested and "formula" not in nodes[key]["meta"]}
    # the log's own key; the publications' own key; a key with a NULL in it
    assert ungrained == {"stg_work_order_versions", "stg_kpi_reported", "int_estimate_medians"}


def test_only_staging_reads_sources_and_no_layer_reads_one_above(nodes: dict[str, dict[str, Any]]) -> None:
    layers = ["staging", "intermediate", "marts"]
    layer = {key: layers.index(node["path"].split("/")[0]) for key, node in nodes.items()}
    for key, node in nodes.items():
        sources = [parent for parent in node["depends_on"]["nodes"] if parent.startswith("source.")]
        assert not sources or layer[key] == 0, f"{key} reads {sources} past staging"
        assert not [parent for parent in upstream(nodes, key) if layer[key] == 0 and layer[parent] > 0]


def test_names_say_the_layer(nodes: dict[str, dict[str, Any]]) -> None:
    prefixes = {"staging": r"stg_", "intermediate": r"int_", "marts": r"dim_|fct_|kpi|work_order|bad_actors"}
    for node in nodes.values():
        assert re.match(prefixes[node["path"].split("/")[0]], node["name"]), node["name"]


def test_every_raw_table_of_the_sources_has_a_staging_model(manifest: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> None:
    raw = {source["name"] for source in manifest["sources"].values() if source["source_name"] == "raw"}
    assert len(raw) == 28
    assert {f"stg_{name}" for name in raw} <= {node["name"] for node in nodes.values()}
    assert not [source["name"] for source in manifest["sources"].values() if not source["description"]]


def test_no_packages_are_needed(manifest: dict[str, Any]) -> None:
    assert not (DBT / "packages.yml").exists()
    assert {node["package_name"] for node in manifest["nodes"].values()} == {"maintainx_analytics"}

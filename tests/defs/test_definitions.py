"""What Dagster shows: it loads on a fresh clone, and every asset says what it is and whose."""

from pathlib import Path

import dagster as dg
import pytest

from dagster_project import models
from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.settings import load

pytestmark = pytest.mark.dagster


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """Return the definitions of a clone without data folder, manifest or token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(tmp_path_factory.mktemp("clone") / "not there yet"))
        from dagster_project.definitions import defs  # noqa: PLC0415  the settings above count from here on

        return defs()


@pytest.fixture(scope="module")
def graph(loaded: dg.Definitions):
    return loaded.resolve_asset_graph()


def test_every_endpoint_and_every_model_is_an_asset(graph, tmp_path: Path):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    nodes = models.manifest(load(data_dir=tmp_path))["nodes"].values()
    wanted = {f"raw/{endpoint.table}" for endpoint in ENDPOINTS}
    wanted |= {f"{node['config']['schema']}/{node['name']}" for node in nodes if node["resource_type"] == "model"}
    others = {"ops/sites", "ops/runs", "ops/reconciliation", "ops/backup", "ops/kpi_reported", "published/marts", "exports/files"}
    assert keys == wanted | others


def test_every_asset_has_a_description_a_group_owners_kinds_and_a_promise_of_freshness(graph):
    nodes = [graph.get(key) for key in sorted(graph.get_all_asset_keys())]
    bare = [node.key.to_user_string() for node in nodes if not (node.description and node.group_name and node.owners and node.kinds)]
    stale = [node.key.to_user_string() for node in nodes if node.is_executable and node.freshness_policy is None]
    assert (bare, stale) == ([], [])


def test_extraction_is_partitioned_by_organisation_and_reads_all_in_one_run(graph):
    partitioned = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).partitions_def}
    assert partitioned == {f"raw/{endpoint.table}" for endpoint in ENDPOINTS}
    assert {str(graph.get(dg.AssetKey(name.split("/"))).backfill_policy) for name in partitioned} == {str(dg.BackfillPolicy.single_run())}


def test_every_endpoint_is_checked_against_its_source_without_holding_up_the_models(graph):
    keys = {key for key in graph.asset_check_keys if key.name == "matches_source"}
    assert {key.asset_key.path[-1] for key in keys} == {endpoint.table for endpoint in ENDPOINTS}
    assert not any(graph.get(key).blocking for key in keys)


def test_every_test_of_dbt_is_a_check(graph, tmp_path: Path):
    nodes = models.manifest(load(data_dir=tmp_path))["nodes"].values()
    tests = {node["name"] for node in nodes if node["resource_type"] == "test"}
    assert tests <= {key.name for key in graph.asset_check_keys}


def test_the_models_wait_until_the_run_has_been_closed(graph):
    upstream = {key.to_user_string() for key in graph.get(dg.AssetKey(["staging", "stg_runs"])).parent_keys}
    assert "ops/runs" in upstream


def test_refresh_runs_all_but_the_backup_the_nightly_job_all_but_the_extraction_and_files_are_a_job_of_their_own(loaded, graph):
    every = {key for key in graph.get_all_asset_keys() if graph.get(key).is_executable}
    jobs = {name: loaded.resolve_job_def(name).asset_layer.executable_asset_keys for name in ("refresh", "reconcile", "export")}
    assert jobs["export"] == {dg.AssetKey(["exports", "files"])}
    assert every - jobs["refresh"] == {dg.AssetKey(["ops", "backup"])} | jobs["export"]
    assert every - jobs["reconcile"] == {dg.AssetKey(["raw", endpoint.table]) for endpoint in ENDPOINTS} | jobs["export"]


def test_schedules_are_off_until_somebody_switches_them_on(loaded):
    states = {name: loaded.resolve_schedule_def(name).default_status for name in ("hourly_refresh", "nightly_reconcile", "nightly_export")}
    assert set(states.values()) == {dg.DefaultScheduleStatus.STOPPED}


def test_a_schedule_asks_for_one_run_over_all_organisations(loaded, tmp_path: Path):
    schedule = loaded.resolve_schedule_def("hourly_refresh")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_dynamic_partitions("organisations", ["101", "102", "103"])
        [request] = schedule.evaluate_tick(dg.build_schedule_context(instance)).run_requests
    assert request.tags["dagster/asset_partition_range_start"] == "101"
    assert request.tags["dagster/asset_partition_range_end"] == "103"

"""The job `refresh`, run in process against a simulator over HTTP."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.publish import current
from dagster_project.settings import load
from tests.defs.conftest import pointed_at

# Dagster's resources ask pydantic for its old name of a model's fields
pytestmark = [pytest.mark.dagster, pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning")]

RANGE = {"dagster/asset_partition_range_start": "101", "dagster/asset_partition_range_end": "102"}


@dataclass
class Seen:
    """What one run left: its result, its events and what the newest published version says."""

    result: dg.ExecuteInProcessResult
    partitions: dict[str, set[str | None]]  # asset → partitions with an event of this run
    verdicts: dict[tuple[str, str | None], bool]  # (check of raw/work_orders or raw/organizations, partition) → passed
    versions: int
    published: list[tuple]


@pytest.fixture(scope="module")
def runs(simulator: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Return four runs over one warehouse: launched without and with partitions, refused by organisation 102, and the nightly one."""
    folder = tmp_path_factory.mktemp("dagster")
    with pointed_at(simulator, folder) as patch, dg.DagsterInstance.ephemeral() as instance:
        from dagster_project.definitions import defs  # noqa: PLC0415  the settings above count from here on

        definitions = defs()
        seen = {"first": run(definitions, instance), "range": run(definitions, instance, tags=RANGE)}
        patch.setenv("TOKEN_102", "revoked")
        seen["refused"] = run(definitions, instance)
        patch.setenv("TOKEN_102", "demo-102")
        seen["nightly"] = run(definitions, instance, job="reconcile")
        return seen


def run(definitions: dg.Definitions, instance: dg.DagsterInstance, job: str = "refresh", tags: dict | None = None) -> Seen:
    result = definitions.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    partitions: dict[str, set[str | None]] = {}
    events = [(event, event.materialization) for event in result.get_asset_materialization_events()]
    for event, one in events:
        partitions.setdefault(one.asset_key.to_user_string(), set()).add(event.partition)
    evaluations = [event.asset_check_evaluation_data for event in result.all_events if event.event_type_value == "ASSET_CHECK_EVALUATION"]
    verdicts = {
        (f"{one.asset_key.path[-1]} {one.check_name}", one.partition): one.passed for one in evaluations if one.asset_key.path[0] == "raw"
    }
    raw = [one for event, one in events if one.asset_key.path[0] == "raw" and event.partition]
    versions = sum(int(str(one.metadata["versions"].value)) for one in raw)
    return Seen(result, partitions, verdicts, versions, published())


def published() -> list[tuple]:
    path = current(load().published_dir)
    if path is None:
        return []
    with duckdb.connect(str(path), read_only=True) as reader:
        return reader.execute(
            """select organisation_id, count(*), sum(value) from marts.kpis
            where kpi = 'created' and scope_type = 'organisation' group by 1 order by 1"""
        ).fetchall()


@pytest.mark.parametrize("name", ["first", "range", "nightly"])
def test_a_run_over_all_organisations_succeeds(runs, name):
    assert runs[name].result.success
    assert [organisation for organisation, _, _ in runs[name].published] == [101, 102]


def test_a_run_launched_without_partitions_finds_the_organisations_itself_and_writes_an_event_for_each(runs):
    assert runs["first"].partitions["raw/work_orders"] == {"101", "102", None}
    assert runs["first"].versions > 100


def test_a_run_over_a_range_of_partitions_has_one_event_for_each(runs):
    assert {frozenset(runs["range"].partitions[f"raw/{endpoint.table}"]) for endpoint in ENDPOINTS} == {frozenset({"101", "102"})}


def test_a_second_run_reads_little_and_changes_nothing(runs):
    assert runs["range"].versions == 0
    assert runs["range"].published == runs["first"].published


def test_every_check_has_a_verdict_for_each_organisation(runs):
    checks = ("work_orders was_read", "work_orders matches_source", "organizations organisation_fresh")
    for name in ("first", "range"):
        assert [runs[name].verdicts[check, partition] for check in checks for partition in ("101", "102")] == [True] * 6


def test_an_organisation_that_refuses_is_named_and_ends_the_run_as_failed_after_the_others_are_published(runs):
    refused = runs["refused"]
    assert not refused.result.success
    failures = [event for event in refused.result.all_events if event.is_step_failure]
    assert [event.step_key for event in failures] == ["run_checks"]
    assert "organisation 102 failed: Unauthorized" in failures[0].step_failure_data.error.to_string()
    assert refused.published == runs["range"].published


def test_an_organisation_that_refuses_has_no_event_of_its_own_and_fails_its_check_alone(runs):
    refused = runs["refused"]
    assert refused.partitions["raw/work_orders"] == {"101", None}
    assert refused.verdicts["organizations organisation_fresh", "101"]
    assert not refused.verdicts["organizations organisation_fresh", "102"]


def test_the_nightly_run_reconciles_every_endpoint_and_leaves_a_backup(runs):
    [event] = runs["nightly"].result.asset_materializations_for_node("ops__reconciliation")
    assert event.metadata["endpoints"].value == 2 * len(ENDPOINTS)
    [event] = runs["nightly"].result.asset_materializations_for_node("ops__backup")
    assert (Path(str(event.metadata["folder"].value)) / "manifest.json").is_file()

"""A run launched the way people launch it: through the webserver, with the daemon that `make up` starts beside it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dagster_project import programs, up
from dagster_project.publish import current
from dagster_project.settings import Settings, load
from tests.defs.conftest import free_port, pointed_at

pytestmark = pytest.mark.dagster

JOB = {"repositoryName": "__repository__", "repositoryLocationName": "maintainx_analytics", "jobName": "refresh"}
LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
# what the dialog behind "Materialize all" sends once "All" partitions are chosen
BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
RUNS = "{ runsOrError { ... on Runs { results { runId tags { key value } } } } }"
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
  locationOrLoadError { __typename ... on PythonError { message causes { message } } } } } } }"""
PARTITIONS = '{ assetNodeOrError(assetKey: {path: ["raw", "work_orders"]}) { ... on AssetNode { partitionKeys } } }'
WAIT_SECONDS = 240


@pytest.fixture
def dagster(simulator: str, tmp_path: Path) -> Iterator[tuple[Settings, str]]:
    """Return the settings, and the address of a webserver that runs with a daemon on a new instance."""
    port = free_port()
    with pointed_at(simulator, tmp_path, DAGSTER_PORT=str(port), MAINTAINX_TOKEN="demo"):
        settings = load()
        children = []
        try:
            for program in up.services(settings):
                if program.name.startswith("dagster"):
                    children.append(programs.start(program))
                    programs.wait_until_answers(children[-1])
            yield settings, f"http://127.0.0.1:{port}/graphql"
        finally:
            programs.stop(children)


def ask(address: str, query: str, **variables: object) -> dict:
    response = httpx.post(address, json={"query": query, "variables": variables}, timeout=120)
    return response.json()["data"]


def test_runs_launched_through_the_webserver_read_all_organisations_and_publish(dagster):
    settings, address = dagster
    [entry] = ask(address, LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert entry["locationOrLoadError"] == {"__typename": "RepositoryLocation"}

    launched = ask(address, LAUNCH, params={"selector": JOB, "mode": "default"})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert finished(address, launched["run"]["runId"]) == "SUCCESS"
    first = current(settings.published_dir)
    assert first is not None

    assert ask(address, PARTITIONS)["assetNodeOrError"]["partitionKeys"] == ["101", "102"]
    repository = {name: JOB[name] for name in ("repositoryName", "repositoryLocationName")}
    selector = {"partitionSetName": "refresh_partition_set", "repositorySelector": repository}
    started = ask(address, BACKFILL, params={"selector": selector, "partitionNames": ["101", "102"]})["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started
    newest = awaited(lambda: [run for run in ask(address, RUNS)["runsOrError"]["results"] if run["runId"] != launched["run"]["runId"]])
    assert finished(address, newest[0]["runId"]) == "SUCCESS"
    [second] = [run for run in ask(address, RUNS)["runsOrError"]["results"] if run["runId"] != launched["run"]["runId"]]
    tags = {tag["key"]: tag["value"] for tag in second["tags"]}
    assert (tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]) == ("101", "102")
    assert current(settings.published_dir) != first


def awaited(look: Callable[[], list]) -> list:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(1)
    raise TimeoutError(f"nothing came in {WAIT_SECONDS} s")


def finished(address: str, run_id: str) -> str:
    def look() -> list[str]:
        status = ask(address, STATUS, id=run_id)["runOrError"]["status"]
        return [status] if status in ("SUCCESS", "FAILURE", "CANCELED") else []

    return awaited(look)[0]

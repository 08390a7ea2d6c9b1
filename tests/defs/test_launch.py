"""A run launched the way people launch it: through the webserver, with the daemon that `make up` starts beside it."""

import time
from collections.abc import Iterator
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
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status stepStats { stepKey status } } } }"
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
  locationOrLoadError { __typename ... on PythonError { message causes { message } } } } } } }"""
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


def test_a_run_launched_through_the_webserver_reads_all_organisations_and_publishes(dagster):
    settings, address = dagster
    [entry] = ask(address, LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert entry["locationOrLoadError"] == {"__typename": "RepositoryLocation"}
    launched = ask(address, LAUNCH, params={"selector": JOB, "mode": "default"})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert finished(address, launched["run"]["runId"]) == "SUCCESS"
    assert current(settings.published_dir) is not None


def finished(address: str, run_id: str) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        run = ask(address, STATUS, id=run_id)["runOrError"]
        if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
            return run["status"]
        time.sleep(1)
    raise TimeoutError(f"run {run_id} is {run['status']} after {WAIT_SECONDS} s: {run['stepStats']}")

"""What a data engineer may let through in the launchpad: a breaker, for one run, and it is written down."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.settings import load
from tests.defs.conftest import pointed_at

pytestmark = [pytest.mark.dagster, pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning")]

SITES, VENDORS, RECONCILIATION = dg.AssetKey(["ops", "sites"]), dg.AssetKey(["raw", "vendors"]), dg.AssetKey(["ops", "reconciliation"])


@pytest.fixture(scope="module")
def loaded(simulator: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dg.Definitions]:
    """Return a folder and the definitions over it."""
    folder = tmp_path_factory.mktemp("breakers")
    with pointed_at(simulator, folder):
        from dagster_project.definitions import defs  # noqa: PLC0415  the settings above count from here on

        return folder, defs()


@pytest.fixture
def definitions(simulator: str, loaded: tuple[Path, dg.Definitions]) -> Iterator[dg.Definitions]:
    """Return the definitions, their folder in the environment; what a test lets the simulator do wrong ends with it."""
    folder, found = loaded
    with pointed_at(simulator, folder):
        yield found
        control(simulator, "DELETE", b"")


def control(simulator: str, method: str, body: bytes) -> None:
    request = urllib.request.Request(f"{simulator.removesuffix('/v1')}/_simulator/faults", body, method=method)  # noqa: S310
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  a child of this test


def run(definitions: dg.Definitions, *assets: dg.AssetKey, **config: dict) -> str:
    """Run some assets of the job and return the run's id."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("refresh")
        ops = {name: {"config": values} for name, values in config.items()}
        return job.execute_in_process(instance=instance, asset_selection=list(assets), run_config={"ops": ops}).run_id


def written(query: str, *parameters: str) -> list[tuple]:
    with duckdb.connect(str(load().warehouse_path), read_only=True) as reader:
        return reader.execute(query, parameters).fetchall()


VERDICT = "select organisation_id, status, reason like 'Breaker: %' from ops.endpoint_runs where run_id = ? order by 1"
AUDIT = "select organisation_id, endpoint, action from ops.audit where run_id = ? order by all"


def test_d_a_breaker_that_tripped_is_let_through_by_the_config_of_the_next_run_and_audited(definitions, simulator):
    run(definitions, SITES, VENDORS)
    control(simulator, "POST", json.dumps([{"match": {"path": "vendors"}, "action": "empty", "times": None}]).encode())
    tripped = run(definitions, SITES, VENDORS)
    assert written(VERDICT, tripped) == [(101, "failed", True), (102, "failed", True)]
    assert written(AUDIT, tripped) == []
    accepted = run(definitions, SITES, VENDORS, raw__vendors={"accept": True})
    assert written(VERDICT, accepted) == [(101, "ok", None), (102, "ok", None)]
    assert written(AUDIT, accepted) == [(101, "vendors", "accept"), (102, "vendors", "accept")]
    assert written("select count(*) from raw.vendors where is_deleted") == [(0,)]  # each could still be read by its id


def test_a_comparison_may_be_full_and_let_endpoints_through_and_it_is_audited(definitions):
    run(definitions, SITES, RECONCILIATION)  # a first load
    compared = run(definitions, SITES, RECONCILIATION, ops__reconciliation={"is_full": True, "accept": ["vendors"]})
    rows = written("select distinct scope, status, source_ids = live_rows from ops.reconciliation where run_id = ?", compared)
    assert rows == [("full", "matched", True)]
    assert written(AUDIT, compared) == [(101, "vendors", "accept"), (102, "vendors", "accept")]


def test_the_launchpad_explains_every_choice(definitions):
    job = definitions.resolve_job_def("refresh")
    ops = job.run_config_schema.config_type.fields["ops"].config_type.fields
    for name, fields in {"raw__work_orders": {"accept"}, "ops__reconciliation": {"accept", "is_full"}}.items():
        config = ops[name].config_type.fields["config"].config_type.fields
        assert set(config) == fields
        assert all(len(field.description) > 50 for field in config.values())

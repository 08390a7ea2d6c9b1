"""dbt run by somebody's hand, beside the job that runs it otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dagster_project.models import PROJECT_DIR
from dagster_project.models.project import instants
from dagster_project.settings import Settings
from dagster_project.warehouse import copying
from dagster_project.warehouse.open import open_warehouse
from tests.dbt.conftest import Build
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")
SCHEMAS = ("raw", "ops", "staging", "intermediate", "marts")


def contents(settings: Settings) -> dict[str, copying.Fingerprint]:
    """Content of every table and view of the warehouse."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("set timezone = 'UTC'")
        names = [f'{schema}."{table}"' for schema in SCHEMAS for table in copying.tables(connection, schema)]
        return {name: copying.fingerprint(connection, f"select * from {name}") for name in names}


def dbt_by_hand(settings: Settings, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt as somebody does in a console."""
    where = ["--project-dir", PROJECT_DIR, "--profiles-dir", PROJECT_DIR, "--target-path", folder / "target", "--log-path", folder / "logs"]
    command = [Path(sys.executable).with_name("dbt"), *arguments, *where, "--vars", json.dumps(instants(AS_OF, AS_OF))]
    variables = {**os.environ, "WAREHOUSE_PATH": str(settings.warehouse_path), "DUCKDB_TEMP_DIR": str(folder / "tmp")}
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
def test_g6_a_full_refresh_by_hand_makes_the_same_marts_and_leaves_the_log_alone(build: Build, tmp_path: Path) -> None:
    raw = RawBuilder()
    raw.site(crew_hours_per_week=40.0)
    raw.run("run-1", "2026-04-07 12:00")
    raw.order(1, "2026-03-02 10:00", "2026-03-03 10:30", work_order_time_items=[{"user_id": 7, "duration_seconds": 1800}])
    raw.order(2, "2026-03-02 10:00", due_at="2026-04-14 12:00", priority="HIGH")
    settings = build(raw, AS_OF).settings
    before = contents(settings)
    done = dbt_by_hand(settings, tmp_path, "run", "--full-refresh")
    assert done.returncode == 0, done.stdout
    after = contents(settings)
    assert [name for name in before if after.get(name) != before[name]] == []
    assert after.keys() == before.keys()
    assert sum(found.rows for name, found in after.items() if name.startswith("raw.")) > 0


@pytest.mark.slow
def test_g6_dbt_by_hand_beside_a_run_is_kept_out_by_the_file(build: Build, tmp_path: Path) -> None:
    raw = RawBuilder()
    raw.site(crew_hours_per_week=40.0)
    raw.run("run-1", "2026-04-07 12:00")
    settings = build(raw, AS_OF).settings
    before = contents(settings)
    with open_warehouse(settings):
        done = dbt_by_hand(settings, tmp_path, "run", "--full-refresh")
    assert done.returncode != 0
    assert "Could not set lock on file" in done.stdout
    assert {name: found for name, found in contents(settings).items() if name != 'ops."lease"' and name in before} == {
        name: found for name, found in before.items() if name != 'ops."lease"'
    }


def test_g6_no_model_is_built_into_the_schemas_of_the_log(build: Build) -> None:
    from dagster_project import models  # noqa: PLC0415  the folder of dbt's manifest is made by the fixture

    raw = RawBuilder()
    raw.site()
    raw.run("run-1", "2026-04-07 12:00")
    nodes = models.manifest(build(raw, AS_OF).settings)["nodes"].values()
    made = {node["schema"] for node in nodes if node["resource_type"] in {"model", "seed", "snapshot"}}
    assert made
    assert made.isdisjoint({"raw", "ops"})

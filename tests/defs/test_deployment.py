"""What a server is given: an image that holds what the program needs, and values that fit what was tested."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dagster_project.settings import ROOT, environment
from tests.test_house import pins

VALUES = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text(encoding="utf-8"))
INSTANCE = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text(encoding="utf-8"))
LOADS = "from dagster_project.definitions import defs; print(len(defs().resolve_asset_graph().get_all_asset_keys()))"


def copied() -> list[str]:
    """What the Dockerfile copies into the image."""
    lines = re.findall(r"^COPY (.*) \./\S*$", (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    return [path for line in lines for path in line.split()]


def test_every_file_of_the_image_exists_and_secrets_and_data_are_not_among_them():
    assert [path for path in copied() if not (ROOT / path).exists()] == []
    assert {"data", ".env", "simulator", "tests", "."} & set(copied()) == set()


@pytest.mark.dagster
def test_what_the_image_holds_is_enough_to_load_every_asset(tmp_path: Path):
    for path in copied():
        target = tmp_path / "app" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / path).is_dir() else shutil.copyfile)(ROOT / path, target)
    variables = environment(PYTHONPATH=str(tmp_path / "app"), DATA_DIR=str(tmp_path / "data"))
    done = subprocess.run([sys.executable, "-c", LOADS], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_the_chart_is_of_the_version_of_the_library():
    said = {
        found
        for path in ("deploy/values.yaml", "docs/deployment.md")
        for found in re.findall(r"--version (\S+)", (ROOT / path).read_text(encoding="utf-8"))
    }
    assert said == {pins("requirements.lock")["dagster"]}


def test_the_chart_runs_as_the_instance_does_that_was_tested():
    daemon, monitoring, retries = VALUES["dagsterDaemon"], INSTANCE["run_monitoring"], INSTANCE["run_retries"]
    coordinator = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert coordinator["maxConcurrentRuns"] == INSTANCE["concurrency"]["runs"]["max_concurrent_runs"]
    assert daemon["runMonitoring"]["startTimeoutSeconds"] == monitoring["start_timeout_seconds"]
    assert daemon["runMonitoring"]["pollIntervalSeconds"] == monitoring["poll_interval_seconds"]
    assert daemon["runRetries"] == {"enabled": retries["enabled"], "maxRetries": retries["max_retries"]}
    assert VALUES["postgresql"]["postgresqlScheme"] == INSTANCE["storage"]["postgres"]["postgres_db"]["scheme"]
    assert VALUES["retention"]["schedule"]["purgeAfterDays"] == INSTANCE["retention"]["schedule"]["purge_after_days"]
    kept = INSTANCE["retention"]["sensor"]["purge_after_days"]
    assert {name: VALUES["retention"]["sensor"]["purgeAfterDays"][name] for name in kept} == kept


def test_the_code_server_loads_this_project_and_keeps_its_data_on_a_volume():
    [deployment] = VALUES["dagster-user-deployments"]["deployments"]
    [location] = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    named = location["python_module"]
    assert deployment["dagsterApiGrpcArgs"] == ["--module-name", named["module_name"], "--location-name", named["location_name"]]
    variables = {each["name"]: each["value"] for each in deployment["env"]}
    mounts = {each["mountPath"]: each["name"] for each in deployment["volumeMounts"]}
    assert mounts[variables["DATA_DIR"]] in {volume["name"] for volume in deployment["volumes"]}


def test_no_secret_stands_in_the_values():
    text = (ROOT / "deploy" / "values.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^\s*(\w*password\w*):", text, re.MULTILINE | re.IGNORECASE) == ["generatePostgresqlPasswordSecret"]

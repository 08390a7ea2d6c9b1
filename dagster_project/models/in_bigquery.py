"""Runs dbt over BigQuery: in an environment of its own, because its adapter wants other versions of what the project uses."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster_project.models.project import PROJECT_DIR, instants
from dagster_project.models.reports import FAILURES, ModelReport, ModelsFailed, NodeReport, OnNode
from dagster_project.settings import ROOT, Settings, environment
from dagster_project.warehouse.base import BigQueryTrouble

ENVIRONMENT = ROOT / ".venv-bigquery"


def build(settings: Settings, as_of: datetime, known_at: datetime, select: str | None, on_node: OnNode | None) -> ModelReport:
    """Build the selected models and run their data tests.

    Raises:
        BigQueryTrouble: dbt for BigQuery is not installed, or could not begin.
        ModelsFailed: a model or test failed; what hung on it was skipped.
    """
    chosen = ["--select", *select.split()] if select else []
    target = settings.dbt_target_dir / "bigquery"
    report = _run(settings, target, ["build", "--exclude-resource-type", "unit_test", *chosen], instants(as_of, known_at))
    if on_node:
        for node in report.nodes:
            on_node(node)
    if failures := tuple(node for node in report.nodes if node.status in FAILURES):
        raise ModelsFailed(failures)
    return report


def _run(settings: Settings, target: Path, command: list[str], told: dict[str, str]) -> ModelReport:
    places = {"--project-dir": PROJECT_DIR, "--profiles-dir": PROJECT_DIR, "--target-path": target, "--log-path": target}
    # a model that came after its yml is overlooked by partial parsing
    quiet = ["--quiet", "--no-use-colors", "--no-version-check", "--no-partial-parse", "--log-level-file", "none"]
    program = [
        f"{dbt()}",
        *command,
        *quiet,
        "--target",
        "emulator" if settings.bigquery_endpoint else "bigquery",
        "--vars",
        json.dumps(told),
    ]
    target.mkdir(parents=True, exist_ok=True)
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    arguments = [*program, *(f"{part}" for place in places.items() for part in place)]
    done = subprocess.run(arguments, env=variables(settings), cwd=target, capture_output=True, text=True, check=False)
    if not results.exists():
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise BigQueryTrouble(f"dbt could not begin to build in BigQuery project {settings.bigquery_project}: {said}")
    found = json.loads(results.read_text(encoding="utf-8"))
    return ModelReport(tuple(_node(result) for result in found["results"]), found["elapsed_time"])


def variables(settings: Settings) -> dict[str, str]:
    """Return the environment that the profile reads."""
    return environment(
        BIGQUERY_PROJECT=settings.bigquery_project or "",
        BIGQUERY_LOCATION=settings.bigquery_location,
        BIGQUERY_DATASET_PREFIX=settings.bigquery_dataset_prefix,
        BIGQUERY_ENDPOINT=settings.bigquery_endpoint or "",
    )


def dbt() -> Path:
    """Return dbt with BigQuery's adapter: beside .venv, or where this program is installed, as in an image made for it.

    Raises:
        BigQueryTrouble: it is not there.
    """
    for folder in (ENVIRONMENT, Path(sys.prefix)):
        if any(folder.glob("lib/python*/site-packages/dbt/adapters/bigquery")):
            return folder / "bin" / "dbt"
    raise BigQueryTrouble(f"dbt for BigQuery is not installed: `make bigquery` makes {ENVIRONMENT}")


def _node(result: dict[str, Any]) -> NodeReport:
    kind, name = result["unique_id"].split(".")[0], result["unique_id"].split(".")[2]
    return NodeReport(result["unique_id"], name, kind, result["status"], result["execution_time"], result["message"])

"""Builds the models over the warehouse: by what dbt compiled before while nothing of the project changed, else by dbt in process.

Loading dbt costs 2 s of CPU and each node another 25 ms, whatever its SQL costs. So what a build of all models compiled is
kept, and the next build runs that. Whatever goes wrong with it is undone, and dbt itself builds and reports.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dagster_project.failpoint import failpoint
from dagster_project.models import compiled
from dagster_project.models.project import PROJECT_DIR, fingerprint, is_fresh
from dagster_project.models.reports import FAILURES, ModelReport, ModelsFailed, NodeReport, OnNode
from dagster_project.settings import Settings

__all__ = ["FAILURES", "PROJECT_DIR", "ModelReport", "ModelsFailed", "NodeReport", "build", "manifest", "run_unit_tests"]


def build(settings: Settings, as_of: datetime, known_at: datetime, select: str | None = None, on_node: OnNode | None = None) -> ModelReport:
    """Build the models and run their data tests over the warehouse, then let go of the file.

    Args:
        settings: where the warehouse and dbt's own files are.
        as_of: the instant at which KPIs are evaluated (with a time zone).
        known_at: only versions of runs known from then or earlier count (with a time zone).
        select: dbt's node selection (for example `+kpis`); everything when None.
        on_node: called with each finished node, by dbt from its threads.

    Raises:
        ModelsFailed: a model or test failed; what hung on it was skipped.
    """
    failpoint("models.before_build")
    report = None if select else compiled.build(settings, as_of, known_at, on_node)
    if report is None:
        from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

        report = runner.build(settings, as_of, known_at, select, on_node)
    failpoint("models.after_build")
    return report


def run_unit_tests(settings: Settings) -> ModelReport:
    """Run the models' unit tests: arithmetic on rows of their own, over the empty shapes of a warehouse built before.

    Raises:
        ModelsFailed: a unit test failed.
    """
    from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

    return runner.run_unit_tests(settings)


def manifest(settings: Settings) -> Mapping[str, Any]:
    """The project as dbt sees it (manifest.json), parsed again only if a file of the project changed since."""
    path = settings.dbt_target_dir / "manifest.json"
    if not path.exists() or not is_fresh(settings, fingerprint(settings)):
        from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

        runner.parse(settings)
    return json.loads(path.read_text())

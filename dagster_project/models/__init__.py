"""Builds the models over the warehouse: by what dbt compiled before while nothing of the project changed, else by dbt in process.

Loading dbt costs 2 s of CPU and each node another 25 ms, whatever its SQL costs. So what a build of all models compiled is
kept, and the next build runs that. Whatever goes wrong with it is undone, and dbt itself builds and reports.
"""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster_project.failpoint import failpoint
from dagster_project.models import compiled
from dagster_project.models.project import PROJECT_DIR, described, fingerprint, is_fresh
from dagster_project.models.reports import FAILURES, ModelReport, ModelsFailed, NodeReport, OnNode
from dagster_project.settings import Settings
from dagster_project.warehouse import notice
from dagster_project.warehouse.folders import whole_file
from dagster_project.warehouse.open import open_warehouse

__all__ = [
    "FAILURES",
    "PROJECT_DIR",
    "ModelReport",
    "ModelsFailed",
    "NodeReport",
    "build",
    "described",
    "document",
    "manifest",
    "run_unit_tests",
]


def build(settings: Settings, as_of: datetime, known_at: datetime, select: str | None = None, on_node: OnNode | None = None) -> ModelReport:
    """Build the models and run their data tests over the warehouse, then let go of the file.

    Args:
        settings: where the warehouse and dbt's own files are.
        as_of: the instant at which KPIs are evaluated (with a time zone).
        known_at: only versions of runs known from then or earlier count (with a time zone).
        select: dbt's node selection (for example `+kpis`); everything when None.
        on_node: called with each finished node, by dbt from its threads.

    Raises:
        ModelsFailed: a model or test failed; what hung on it was skipped. Readers are told that what they see is older.
    """
    failpoint("models.before_build")
    report = None if select or settings.warehouse != "duckdb" else compiled.build(settings, as_of, known_at, on_node)
    if report is None:
        report = _by_dbt(settings, as_of, known_at, select, on_node)
    failpoint("models.after_build")
    return report


def _by_dbt(settings: Settings, as_of: datetime, known_at: datetime, select: str | None, on_node: OnNode | None) -> ModelReport:
    if settings.warehouse == "bigquery":
        from dagster_project.models import in_bigquery as runner  # noqa: PLC0415
    else:
        from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

    try:
        return runner.build(settings, as_of, known_at, select, on_node)
    except ModelsFailed as error:
        names = ", ".join(f"{failure.resource_type} {failure.name}" for failure in error.failures)
        what = f"What was read up to {known_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC could not be published"
        notice.put(settings.published_dir, f"{what}: {names} failed. These are the figures of the version before.")
        raise


def run_unit_tests(settings: Settings) -> ModelReport:
    """Run the models' unit tests: arithmetic on rows of their own, over the empty shapes of a warehouse built before.

    Raises:
        ModelsFailed: a unit test failed.
    """
    from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

    return runner.run_unit_tests(settings)


def document(settings: Settings) -> Path:
    """Write what the models mean, hang on and look like as a page to browse, and return it: one file, no server.

    Types of columns are in it once there is a warehouse, which must be free meanwhile.

    Raises:
        WarehouseBusy: another process writes to the warehouse.
    """
    from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

    settings.docs_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.data_dir, prefix="tmp-docs-") as folder, whole_file(settings.docs_dir / "index.html") as aside:
        if settings.warehouse_path.exists():
            with open_warehouse(settings) as warehouse, warehouse.released():
                page = runner.document(settings, Path(folder), with_types=True)
        else:
            nowhere = settings.model_copy(update={"data_dir": Path(folder)})  # dbt makes a database where there is none
            page = runner.document(nowhere, Path(folder), with_types=False)
        shutil.copyfile(page, aside)
    return settings.docs_dir / "index.html"


def manifest(settings: Settings) -> Mapping[str, Any]:
    """The project as dbt sees it (manifest.json), parsed again only if a file of the project changed since."""
    path = settings.dbt_target_dir / "manifest.json"
    if not path.exists() or not is_fresh(settings, fingerprint(settings)):
        from dagster_project.models import runner  # noqa: PLC0415  it loads dbt

        runner.parse(settings)
    return json.loads(path.read_text())

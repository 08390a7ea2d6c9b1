"""Run dbt in process: build the models over the warehouse, and keep the parsed project between calls."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import reset_adapters
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from dagster_project.failpoint import failpoint
from dagster_project.settings import ROOT, Settings

PROJECT_DIR = ROOT / "dbt"
SOURCES = ("dbt_project.yml", "profiles.yml", "*/**/*.sql", "*/**/*.yml")
FAILURES = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What became of one model or test."""

    unique_id: str
    name: str
    resource_type: str  # model, test or unit_test
    status: str  # success, pass, warn, skipped, error, fail
    seconds: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What became of each node of one build, in the order in which they finished."""

    nodes: tuple[NodeReport, ...]
    seconds: float


class ModelsFailed(Exception):
    """Models or tests failed: which, and what each said."""

    def __init__(self, failures: tuple[NodeReport, ...]) -> None:
        self.failures = failures
        lines = [f"{failure.resource_type} {failure.name}: {failure.message}" for failure in failures]
        super().__init__("dbt stopped at:\n" + "\n".join(lines))


OnNode = Callable[[NodeReport], None]
Answer = TypeVar("Answer")
_parsed: dict[Path, tuple[str, Manifest]] = {}


def build(settings: Settings, as_of: datetime, known_at: datetime, select: str | None = None, on_node: OnNode | None = None) -> ModelReport:
    """Build the models and run their data tests over the warehouse, then let go of the file.

    Args:
        settings: where the warehouse and dbt's own files are.
        as_of: the instant at which KPIs are evaluated (with a time zone).
        known_at: only versions of runs known from then or earlier count (with a time zone).
        select: dbt's node selection (for example `+kpis`); everything when None.
        on_node: called with each finished node, from dbt's threads.

    Raises:
        ModelsFailed: a model or test failed; what hung on it was skipped.
    """
    chosen = ["--select", select] if select else []
    instants = {"as_of": _text(as_of), "known_at": _text(known_at)}
    failpoint("models.before_build")
    report = _report(settings, ["build", "--exclude-resource-type", "unit_test", *chosen], instants, on_node or _ignored)
    failpoint("models.after_build")
    return report


def run_unit_tests(settings: Settings) -> ModelReport:
    """Run the models' unit tests: arithmetic on rows of their own, over the empty shapes of a warehouse built before.

    Raises:
        ModelsFailed: a unit test failed.
    """
    return _report(settings, ["test", "--select", "test_type:unit"], {}, None)


def manifest(settings: Settings) -> Mapping[str, Any]:
    """The project as dbt sees it (manifest.json), parsed again only if a file of the project changed since."""
    path = settings.dbt_target_dir / "manifest.json"
    if not path.exists() or not _is_fresh(settings, _fingerprint(settings)):
        _parsed.pop(settings.dbt_target_dir, None)
        _parse(settings)
    return json.loads(path.read_text())


def _report(settings: Settings, command: list[str], instants: dict[str, str], on_node: OnNode | None) -> ModelReport:
    # manifest.json is written by the parse; writing it again at each build cost a tenth of the build
    outcome = _invoke(
        RunExecutionResult, settings, [*command, "--no-write-json", *_arguments(settings, instants)], _parse(settings), on_node
    )
    nodes = tuple(_node(result.to_dict(), result.node) for result in outcome.results)
    failures = tuple(node for node in nodes if node.status in FAILURES)
    if failures:
        raise ModelsFailed(failures)
    return ModelReport(nodes, outcome.elapsed_time)


def _parse(settings: Settings) -> Manifest:
    fingerprint = _fingerprint(settings)
    known = _parsed.get(settings.dbt_target_dir)
    if known and known[0] == fingerprint:
        return known[1]
    # dbt's own partial parsing overlooks a model that came after its yml, so it is trusted only when no file changed
    partial = "--partial-parse" if _is_fresh(settings, fingerprint) else "--no-partial-parse"
    parsed = _invoke(Manifest, settings, ["parse", partial, *_arguments(settings, {})])
    _stamp(settings).write_text(fingerprint)
    _parsed[settings.dbt_target_dir] = (fingerprint, parsed)
    return parsed


def _invoke(
    kind: type[Answer], settings: Settings, arguments: list[str], parsed: Manifest | None = None, on_node: OnNode | None = None
) -> Answer:
    """Run one dbt command, and close its DuckDB: a file has one configuration per process, and others want it next."""
    settings.dbt_target_dir.mkdir(parents=True, exist_ok=True)
    try:
        outcome = dbtRunner(parsed, [_listener(on_node)] if on_node else []).invoke(arguments)
    finally:
        reset_adapters()
        # close_all_connections forgets the connection to the file without closing it
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
            DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        raise outcome.exception
    if not isinstance(outcome.result, kind):
        raise TypeError(f"dbt {arguments[0]} answered {type(outcome.result).__name__}, not {kind.__name__}")
    return outcome.result


def _arguments(settings: Settings, instants: dict[str, str]) -> list[str]:
    variables = {
        "warehouse_path": str(settings.warehouse_path),
        "memory_limit": settings.duckdb_memory_limit,
        "temp_directory": str(settings.data_dir / "tmp"),
    }
    places = {
        "--project-dir": PROJECT_DIR,
        "--profiles-dir": PROJECT_DIR,
        "--target-path": settings.dbt_target_dir,
        "--log-path": settings.dbt_target_dir,
    }
    quiet = ["--quiet", "--log-level", "none", "--log-level-file", "none", "--no-version-check"]
    return [*quiet, "--vars", json.dumps(variables | instants), *(str(part) for place in places.items() for part in place)]


def _ignored(_: NodeReport) -> None:
    pass


def _listener(on_node: OnNode) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        if event.info.name == "NodeFinished":
            run = event.data.run_result
            info = event.data.node_info
            on_node(NodeReport(info.unique_id, info.node_name, info.resource_type, run.status, run.execution_time, run.message or None))
            failpoint("models.node_done")

    return listen


def _node(result: dict[str, Any], node: Any) -> NodeReport:
    status = str(result["status"])
    return NodeReport(node.unique_id, node.name, str(node.resource_type), status, result["execution_time"], result["message"])


def _stamp(settings: Settings) -> Path:
    return settings.dbt_target_dir / "fingerprint"


def _is_fresh(settings: Settings, fingerprint: str) -> bool:
    stamp = _stamp(settings)
    return stamp.exists() and stamp.read_text() == fingerprint


def _fingerprint(settings: Settings) -> str:
    """The database's name, and names, sizes and times of the project's files: another value when any of them changed."""
    files = sorted(file for pattern in SOURCES for file in PROJECT_DIR.glob(pattern))
    lines = [f"{file.relative_to(PROJECT_DIR)} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return "\n".join([settings.warehouse_path.stem, *lines])


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

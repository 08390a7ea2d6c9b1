"""Runs dbt in process, and keeps the parsed project between calls. Importing this module loads dbt."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import reset_adapters
from dbt.artifacts.schemas.catalog import CatalogArtifact
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from dagster_project.failpoint import failpoint
from dagster_project.models import compiled
from dagster_project.models.project import PROJECT_DIR, fingerprint, instants, is_fresh, stamp
from dagster_project.models.reports import FAILURES, ModelReport, ModelsFailed, NodeReport, OnNode
from dagster_project.settings import Settings
from dagster_project.warehouse.statements import Statement

PLAIN = {"severity": "ERROR", "fail_calc": "count(*)", "error_if": "!= 0", "warn_if": "!= 0", "limit": None}
EXTRAS = ("pre_hook", "post_hook", "persist_docs", "grants", "indexes")  # what a statement of ours would leave out

Answer = TypeVar("Answer")
_parsed: dict[Path, tuple[str, Manifest]] = {}


def build(settings: Settings, as_of: datetime, known_at: datetime, select: str | None, on_node: OnNode | None) -> ModelReport:
    """Build the selected models and run their data tests; keep what was compiled when it was all of them.

    Raises:
        ModelsFailed: a model or test failed; what hung on it was skipped.
    """
    chosen = ["--select", select] if select else []
    told = instants(as_of, known_at)
    outcome = _run(settings, ["build", "--exclude-resource-type", "unit_test", *chosen], told, on_node or _ignored)
    report = _report(outcome)
    if not select and all(_is_plain(result.node) for result in outcome.results):
        compiled.keep(settings, told, [_statement(result.node) for result in outcome.results])
    return report


def run_unit_tests(settings: Settings) -> ModelReport:
    """Run the models' unit tests.

    Raises:
        ModelsFailed: a unit test failed.
    """
    return _report(_run(settings, ["test", "--select", "test_type:unit"], {}, None))


def document(settings: Settings, target: Path, *, with_types: bool) -> Path:
    """Write dbt's documentation of the project into a folder and return its page; with types, the models' database must be free."""
    extra = [] if with_types else ["--empty-catalog"]
    _invoke(CatalogArtifact, settings, ["docs", "generate", "--static", *extra, *_arguments(settings, {}, target)])
    return target / "static_index.html"


def parse(settings: Settings) -> Manifest:
    """Return the parsed project, and write manifest.json when it has to be parsed."""
    found = fingerprint(settings)
    known = _parsed.get(settings.dbt_target_dir)
    is_written = (settings.dbt_target_dir / "manifest.json").exists()
    if known and known[0] == found and is_fresh(settings, found) and is_written:
        return known[1]
    # dbt's own partial parsing overlooks a model that came after its yml, so it is trusted only when no file changed
    partial = "--partial-parse" if is_fresh(settings, found) else "--no-partial-parse"
    parsed = _invoke(Manifest, settings, ["parse", partial, *_arguments(settings, {})])
    stamp(settings).write_text(found)
    _parsed[settings.dbt_target_dir] = (found, parsed)
    return parsed


def _run(settings: Settings, command: list[str], told: dict[str, str], on_node: OnNode | None) -> RunExecutionResult:
    # manifest.json is written by the parse; writing it again at each build cost a tenth of the build
    arguments = [*command, "--no-write-json", *_arguments(settings, told)]
    return _invoke(RunExecutionResult, settings, arguments, parse(settings), on_node)


def _report(outcome: RunExecutionResult) -> ModelReport:
    nodes = tuple(_node(result.to_dict(), result.node) for result in outcome.results)
    failures = tuple(node for node in nodes if node.status in FAILURES)
    if failures:
        raise ModelsFailed(failures)
    return ModelReport(nodes, outcome.elapsed_time)


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


def _arguments(settings: Settings, told: dict[str, str], target: Path | None = None) -> list[str]:
    variables = {
        "warehouse_path": str(settings.warehouse_path),
        "memory_limit": settings.duckdb_memory_limit,
        "temp_directory": str(settings.data_dir / "tmp"),
    }
    places = {
        "--project-dir": PROJECT_DIR,
        "--profiles-dir": PROJECT_DIR,
        "--target-path": target or settings.dbt_target_dir,
        "--log-path": target or settings.dbt_target_dir,
    }
    quiet = ["--quiet", "--log-level", "none", "--log-level-file", "none", "--no-version-check"]
    return [*quiet, "--vars", json.dumps(variables | told), *(str(part) for place in places.items() for part in place)]


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


def _is_plain(node: Any) -> bool:
    """Return whether `create … as` or a count of rows is all that dbt does for the node."""
    config = node.config
    if str(node.resource_type) == "test":
        return all(getattr(config, name) == value for name, value in PLAIN.items()) and not config.store_failures
    has_extras = any(getattr(config, name, None) for name in EXTRAS)
    return config.materialized in {"table", "view"} and not has_extras and not config.contract.enforced


def _statement(node: Any) -> Statement:
    relation = None if str(node.resource_type) == "test" else node.relation_name
    return Statement(node.unique_id, node.name, str(node.resource_type), node.config.materialized, relation, node.compiled_code)

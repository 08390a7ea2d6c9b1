"""What dbt compiled of all models and tests, kept between builds and run again while nothing of the project changed."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from dagster_project.failpoint import failpoint
from dagster_project.models.project import fingerprint, instants
from dagster_project.models.reports import ModelReport, NodeReport, OnNode
from dagster_project.settings import Settings
from dagster_project.warehouse import statements
from dagster_project.warehouse.folders import replace_text
from dagster_project.warehouse.statements import Refused, Statement

MARK = "<{}>"  # what stands in kept SQL for an instant of the run
COMPILERS = ("dbt-core", "dbt-duckdb")


class Kept(msgspec.Struct, frozen=True):
    """The statements of a build of all models, and what they were compiled from."""

    made_from: str
    statements: list[Statement]


def build(settings: Settings, as_of: datetime, known_at: datetime, on_node: OnNode | None) -> ModelReport | None:
    """Run what is kept; None when nothing fits, or when it failed and everything is as it was: dbt can say why."""
    kept = _read(settings)
    if kept is None or kept.made_from != _made_from(settings):
        return None
    nodes: list[NodeReport] = []
    started = time.monotonic()

    def note(one: Statement, seconds: float) -> None:
        status = "success" if one.relation else "pass"
        nodes.append(NodeReport(one.unique_id, one.name, one.resource_type, status, seconds))
        failpoint("models.node_done")

    marks = {MARK.format(name): text for name, text in instants(as_of, known_at).items()}
    try:
        statements.run(settings.warehouse_path, settings.duckdb_memory_limit, kept.statements, marks, note)
    except Refused:
        return None
    if on_node:
        for node in nodes:
            on_node(node)
    return ModelReport(tuple(nodes), time.monotonic() - started)


def keep(settings: Settings, told: Mapping[str, str], found: Sequence[Statement]) -> None:
    """Keep the statements of a build, with marks in the place of its instants `told`."""
    marked = [msgspec.structs.replace(one, sql=_marked(one.sql, told)) for one in found]
    replace_text(_path(settings), msgspec.json.encode(Kept(_made_from(settings), marked)).decode())


def _marked(sql: str, told: Mapping[str, str]) -> str:
    for name, text in told.items():
        sql = sql.replace(text, MARK.format(name))
    return sql


def _read(settings: Settings) -> Kept | None:
    try:
        return msgspec.json.decode(_path(settings).read_bytes(), type=Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _path(settings: Settings) -> Path:
    return settings.dbt_target_dir / "statements.json"


def _made_from(settings: Settings) -> str:
    """Everything that decides the SQL but the instants, which stand in it as they are."""
    return "\n".join([*(f"{name} {version(name)}" for name in COMPILERS), fingerprint(settings)])

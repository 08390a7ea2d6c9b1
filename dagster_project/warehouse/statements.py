"""Runs the statements that dbt compiled, in one transaction: all models are new, or all are as they were."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
import msgspec

from dagster_project.warehouse.duckdb import connect


class Statement(msgspec.Struct, frozen=True):
    """What dbt compiled of one model or data test; the instants of the run stand in it as marks."""

    unique_id: str
    name: str
    resource_type: str  # model or test
    materialized: str  # table or view; of a test, test
    relation: str | None  # quoted; None of a test
    sql: str


class Refused(Exception):
    """A statement failed or a test found rows: says which and why; nothing of the build was kept."""


OnDone = Callable[[Statement, float], None]  # with the seconds it took


def run(path: Path, memory_limit: str, statements: Sequence[Statement], marks: Mapping[str, str], on_done: OnDone) -> None:
    """Build every model and check every test, in the given order, over the warehouse file.

    Args:
        path: the DuckDB file; nobody else may have it open.
        memory_limit: of this connection.
        statements: each after those it reads.
        marks: what takes the place of each mark in the SQL.
        on_done: called after each statement.

    Raises:
        Refused: nothing was changed.
    """
    with connect(path, memory_limit) as connection:
        connection.execute("begin")
        try:
            for schema in sorted({one.relation.rpartition(".")[0] for one in statements if one.relation}):
                connection.execute(f"create schema if not exists {schema}")
            for one in statements:
                started = time.monotonic()
                _run(connection, one, _marked(one.sql, marks))
                on_done(one, time.monotonic() - started)
            connection.execute("commit")
        except duckdb.Error as error:
            raise Refused(f"{one.name}: {error}") from error


def _run(connection: duckdb.DuckDBPyConnection, one: Statement, sql: str) -> None:
    if one.relation:
        connection.execute(f"create or replace {one.materialized} {one.relation} as (\n{sql}\n)")
    elif found := connection.execute(f"select count(*) from (\n{sql}\n)").fetchall()[0][0]:
        raise Refused(f"{one.name}: {found} rows")


def _marked(sql: str, marks: Mapping[str, str]) -> str:
    for mark, text in marks.items():
        sql = sql.replace(mark, text)
    return sql

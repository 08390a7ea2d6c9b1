"""The tables of raw and ops as DuckDB has them: made when they are missing, refused when they are not ours."""

from collections.abc import Mapping

import duckdb
import polars as pl

from dagster_project.frames.contract import contract
from dagster_project.frames.schemas import RECORDS
from dagster_project.warehouse.tables import LATEST, LEASE, OPS, SEAL

SQL_TYPES: dict[type[pl.DataType], str] = {
    pl.Int64: "BIGINT", pl.Int32: "INTEGER", pl.String: "VARCHAR", pl.Float64: "DOUBLE", pl.Boolean: "BOOLEAN",
    pl.Datetime: "TIMESTAMP WITH TIME ZONE", pl.Date: "DATE",
}  # fmt: skip


def tables() -> dict[str, dict[str, pl.DataType]]:
    """Return every table of raw and ops with its columns."""
    found: dict[str, dict[str, pl.DataType]] = {}
    for table in RECORDS:
        declared = contract(table)
        found[f"raw.{table}"] = declared.schema
        found[f"raw.{table}_latest"] = LATEST
        found |= {f"raw.{child.name}": child.schema for child in declared.children}
    return found | {f"ops.{name}": columns for name, columns in OPS.items()}


def create_table(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, pl.DataType]) -> None:
    """Make a table, and its schema, unless it is there."""
    declared = ", ".join(f'"{column}" {_sql_type(column, dtype)}' for column, dtype in columns.items())
    connection.execute(f"create schema if not exists {name.partition('.')[0]}")
    connection.execute(f"create table if not exists {name} ({declared})")


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables and columns that are missing.

    Raises:
        duckdb.InvalidInputException: a column has another type than ours.
    """
    declared_tables = tables() | {"ops.lease": LEASE}
    for name, columns in declared_tables.items():
        create_table(connection, name, columns)
    columns_sql = "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns"
    known = {(table, column): dtype for table, column, dtype in connection.execute(columns_sql).fetchall()}
    for name, columns in declared_tables.items():
        for column, dtype in columns.items():
            if (name, column) not in known:  # a column that came with a newer version of this program
                _add_column(connection, name, column, dtype)
            elif known[name, column] != SQL_TYPES[type(dtype)]:
                what = f"{name}.{column} is {known[name, column]}, not {SQL_TYPES[type(dtype)]}"
                raise duckdb.InvalidInputException(f"{what}: it was changed by something else than this program")


def _add_column(connection: duckdb.DuckDBPyConnection, table: str, column: str, dtype: pl.DataType) -> None:
    connection.execute(f'alter table {table} add column "{column}" {_sql_type(column, dtype)}')
    if (table, column) == ("ops.state", "seal"):
        connection.execute(f"update ops.state set seal = {SEAL}")


def _sql_type(column: str, dtype: pl.DataType) -> str:
    # payloads are most of the bytes: zstd holds them in about a seventh
    return SQL_TYPES[type(dtype)] + (" using compression zstd" if column == "payload" else "")

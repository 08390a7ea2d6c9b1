"""BigQuery's SQL run on DuckDB: what the macros say for BigQuery, over the same rows, so that the answers can be compared."""

import warnings
from pathlib import Path
from typing import Any

import duckdb

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # sqlglotrs, which dagster-dbt brings along, is to go
    import sqlglot
    from sqlglot import exp

from tests.bigquery.compiling import PROJECT, Compiled

SCHEMAS = ("staging", "intermediate", "marts")


def run(warehouse: Path, statements: list[Compiled], path: Path) -> None:
    """Build the models of the statements in a file of their own, over raw and ops of a DuckDB warehouse."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"set timezone = 'UTC'; set threads = 1; attach '{warehouse}' as given (read_only)")
        connection.execute(WALL_TIME)
        for schema in ("raw", "ops", *SCHEMAS):
            connection.execute(f"create schema {schema}")
        reads = {table for one in statements for table in one.reads} - {one.makes for one in statements}
        for table in sorted(reads):
            connection.execute(f"create view {table} as from given.{table}")
        for one in statements:
            if one.makes:
                try:
                    connection.execute(f"create table {one.makes} as {duckdb_sql(one.sql)}")
                except duckdb.Error as error:
                    error.add_note(f"{one.makes}: {duckdb_sql(one.sql)}")
                    raise


def duckdb_sql(sql: str) -> str:
    """BigQuery's SQL as DuckDB says it."""
    said = sqlglot.parse_one(sql, read="bigquery").transform(_own_words)
    return said.sql(dialect="duckdb").replace(f'"{PROJECT}".', "").replace(f"{PROJECT}.", "")


def _own_words(node: Any) -> Any:
    """What sqlglot leaves as BigQuery has it: the ISO week, and what a wall clock shows in a zone."""
    if isinstance(node, exp.Extract) and node.this.name.upper() == "ISOWEEK":
        node.set("this", exp.var("week"))
    if isinstance(node, exp.Timestamp) and node.args.get("zone") is not None:
        return exp.Anonymous(this="wall_time_of", expressions=[node.this.transform(_own_words), node.args["zone"]])
    if isinstance(node, exp.Unnest) and isinstance(rows := node.expressions[0], exp.Array) and isinstance(rows.expressions[0], exp.Struct):
        names = [field.alias or field.this.name for field in rows.expressions[0].expressions]
        values = ", ".join(f"({', '.join(_value(field) for field in row.expressions)})" for row in rows.expressions)
        return sqlglot.parse_one(f"(select * from (values {values}) as literals({', '.join(names)}))", read="duckdb")
    if isinstance(node, exp.Format):
        return exp.Anonymous(this="printf", expressions=[node.this, *(one.transform(_own_words) for one in node.expressions)])
    if isinstance(node, exp.Datetime) and node.expression:
        return exp.Anonymous(this="timezone", expressions=[node.expression, node.this.transform(_own_words)])
    return node


def _value(field: Any) -> str:
    return (field.expression if isinstance(field, exp.PropertyEQ) else field.unalias()).sql(dialect="duckdb")


# BigQuery takes the first of two instants that a clock shows alike; DuckDB takes the second
WALL_TIME = """
    create macro wall_time_of(wall, zone) as case
        when timezone(zone, timezone(zone, cast(wall as timestamp)) - interval '1 hour') = cast(wall as timestamp)
        then timezone(zone, cast(wall as timestamp)) - interval '1 hour'
        else timezone(zone, cast(wall as timestamp)) end
"""


def differences(one: Path, other: Path, tables: list[str], left_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """The tables whose rows differ between two files: how many rows only one of them has, and where the first of them differ."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"set timezone = 'UTC'; attach '{one}' as one (read_only); attach '{other}' as other (read_only)")
        for table in tables:
            columns = [name for (name, *_) in connection.execute(f"describe one.{table}").fetchall() if name not in left_out]
            rows = [_only_in(connection, here, there, table, columns) for here, there in (("one", "other"), ("other", "one"))]
            if any(rows):
                found[table] = _told(columns, *rows)
    return found


def _only_in(connection: duckdb.DuckDBPyConnection, here: str, there: str, table: str, columns: list[str]) -> list[tuple]:
    listed = ", ".join(f'"{name}"' for name in columns)
    query = f"select {listed} from {here}.{table} except all select {listed} from {there}.{table} order by all"
    return connection.execute(query).fetchall()


def _told(columns: list[str], ours: list[tuple], theirs: list[tuple]) -> str:
    counts = f"{len(ours)} rows only in the first, {len(theirs)} only in the second"
    if not ours or not theirs:
        return f"{counts}: {(ours or theirs)[0]}"
    unequal = {name: (a, b) for name, a, b in zip(columns, ours[0], theirs[0], strict=True) if a != b}
    return f"{counts}: {unequal} of {ours[0]}"

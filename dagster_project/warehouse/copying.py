"""Copies of whole DuckDB tables: into a database file for readers, into Parquet files and back."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

STORAGE_VERSION = "v1.2.0"  # the oldest format; the default one of 2.0 cannot be opened by clients of 1.x

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a selection holds, whatever the order of its rows: equal fingerprints mean equal content."""

    rows: int
    digest: str


def tables(connection: Connection, schema: str) -> list[str]:
    """Return the names of the tables and views of a schema, in alphabetical order."""
    query = """
        select table_name from information_schema.tables
        where table_catalog = current_database() and table_schema = ? order by table_name
    """
    return [name for (name,) in connection.execute(query, [schema]).fetchall()]


def base_tables(connection: Connection, schema: str) -> dict[str, str]:
    """Return the tables of a schema (no views), each with the statement that creates it."""
    query = """
        select table_name, sql from duckdb_tables()
        where database_name = current_database() and schema_name = ? order by table_name
    """
    return dict(connection.execute(query, [schema]).fetchall())


def columns(connection: Connection, schema: str, table: str) -> list[str]:
    """Return the names of the columns of a table, in their order."""
    query = """
        select column_name from information_schema.columns
        where table_catalog = current_database() and table_schema = ? and table_name = ? order by ordinal_position
    """
    return [name for (name,) in connection.execute(query, [schema, table]).fetchall()]


def row_counts(connection: Connection, *schemas: str) -> dict[tuple[str, str], int]:
    """Return how many rows each table (no view) of the schemas has, by (schema, table)."""
    names = [(schema, table) for schema in schemas for table in base_tables(connection, schema)]
    return {name: connection.execute('select count(*) from {}."{}"'.format(*name)).fetchall()[0][0] for name in names}


def fingerprint(connection: Connection, selection: str) -> Fingerprint:
    """Return the fingerprint of a `from …` or `select …`: its columns, their types and its rows."""
    shape = connection.execute(f"select string_agg(column_name || ' ' || column_type, ', ') from (describe {selection})").fetchall()[0][0]
    query = f"select count(*), cast(coalesce(sum(cast(hash(r) as hugeint)), 0) as varchar) from ({selection}) r"
    rows, digest = connection.execute(query).fetchall()[0]
    shape_digest = connection.execute("select cast(hash(?) as varchar)", [shape]).fetchall()[0][0]
    return Fingerprint(rows, f"{shape_digest}-{digest}")


@dataclass(frozen=True, slots=True)
class Words:
    """What a table and its columns mean."""

    table: str
    columns: Mapping[str, str]


def write_database(
    connection: Connection, path: Path, selections: Mapping[tuple[str, str], str], words: Mapping[tuple[str, str], Words] | None = None
) -> None:
    """Write a new database file with one table per (schema, table), filled by its selection, with comments that say what it means.

    Clients of DuckDB 1.2 and later open it; no write-ahead log stays beside it.
    """
    with _attached(connection, path, f"storage_version '{STORAGE_VERSION}'") as copy:
        for schema in sorted({schema for schema, _ in selections}):
            connection.execute(f"create schema {copy}.{schema}")
        for (schema, table), selection in selections.items():
            connection.execute(f'create table {copy}.{schema}."{table}" as {selection}')
        with _at_once(connection):  # a commit for each of the comments takes longer than the tables
            for schema, table in selections.keys() & (words or {}).keys():
                _comment(connection, f'{copy}.{schema}."{table}"', (words or {})[schema, table])


@contextmanager
def _attached(connection: Connection, path: Path, *options: str) -> Generator[str]:
    name = "copy_for_readers"
    connection.execute(f"attach {_text(str(path))} as {name} ({', '.join(options)})")
    try:
        yield name
    finally:
        connection.execute(f"detach {name}")


@contextmanager
def _at_once(connection: Connection) -> Generator[None]:
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _comment(connection: Connection, table: str, words: Words) -> None:
    connection.execute(f"comment on table {table} is {_text(words.table)}")
    kept = {name for (name,) in connection.execute(f"select column_name from (describe {table})").fetchall()}
    for column, meaning in words.columns.items():
        if column in kept:
            connection.execute(f'comment on column {table}."{column}" is {_text(meaning)}')


def write_parquet(connection: Connection, selection: str, path: Path) -> int:
    """Write a selection as one Parquet file and return how many rows it has."""
    return connection.execute(f"copy ({selection}) to {_text(str(path))} (format parquet, compression zstd)").fetchall()[0][0]


def read_parquet(connection: Connection, schema: str, table: str, path: Path) -> int:
    """Append the rows of a Parquet file to a table by the names of the columns, and return how many they are."""
    query = f'insert into {schema}."{table}" by name from read_parquet({_text(str(path))})'
    return connection.execute(query).fetchall()[0][0]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

"""Files of a published version for other programs: Parquet as it is, CSV as a spreadsheet may open it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.warehouse.copying import Connection, columns, tables
from dagster_project.warehouse.figures import UnreadableVersion

SCHEMAS = ("marts", "ops")
# what dates a row: the first of these that a table has; a table without any is exported whole
DATES = (
    "period_start_on", "updated_at", "reported_at", "occurred_at", "observed_at", "ended_at", "original_due_on", "created_on", "date_on",
    "reconciled_at", "read_at", "last_seen_at", "started_at", "valid_to",
)  # fmt: skip
BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet takes UTF-8 for the code page of its machine
FORMULA = r"^\s*[=+\-@\t\r\n\x{FF0B}\x{FF0D}\x{FF1D}\x{FF20}]"  # what a spreadsheet may take for the start of one, in full width too
OPTIONS = {
    "parquet": "format parquet, compression zstd",
    "csv": "format csv, header true, timestampformat '%Y-%m-%dT%H:%M:%SZ', dateformat '%Y-%m-%d'",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of one table that are exported."""

    schema: str
    table: str
    dated_by: str | None = None  # the column that `since` looks at
    since: date | None = None

    @property
    def query(self) -> str:
        """Return the rows as SQL; what has no date (a stop that goes on) is always among them."""
        rows = f"select * from {self.schema}.{_quoted(self.table)}"
        if self.since is None or self.dated_by is None:
            return rows
        column = _quoted(self.dated_by)
        return f"{rows} where {column} >= date {_text(self.since.isoformat())} or {column} is null"


@contextmanager
def reading(published: Path) -> Generator[Connection]:
    """Give a connection to a published file.

    Raises:
        UnreadableVersion: DuckDB cannot open it.
    """
    try:
        connection = duckdb.connect(str(published), read_only=True)
    except duckdb.Error as error:
        raise UnreadableVersion(f"{published} cannot be read: {error}. Run `make refresh`, which publishes anew") from None
    with connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def names(connection: Connection) -> list[tuple[str, str]]:
    """Return schema and table of all that can be exported."""
    return [(schema, table) for schema in SCHEMAS for table in tables(connection, schema)]


def select(connection: Connection, schema: str, table: str, since: date | None) -> Selection:
    """Return the rows of a table that are dated `since` (UTC) or later, or not at all; every row when the table has no date."""
    known = columns(connection, schema, table)
    dated_by = next((column for column in DATES if column in known), None) if since else None
    return Selection(schema, table, dated_by, since if dated_by else None)


def write(connection: Connection, selection: Selection, file_format: str, path: Path) -> int:
    """Write a selection as one file (`parquet` or `csv`), sorted by its columns from left to right; return how many rows it has.

    In CSV an instant reads 2026-11-16T06:00:00Z (whole seconds), NULL is an empty cell and an empty text is "". A text that a
    spreadsheet would take for a formula has an apostrophe before it. Parquet has every value as it is.
    """
    described = connection.execute(f"describe {selection.query}").fetchall()
    listed = _cells([(name, kind) for name, kind, *_ in described]) if file_format == "csv" else "*"
    query = f"select {listed} from (from ({selection.query}) order by all)"
    return connection.execute(f"copy ({query}) to {_text(str(path))} ({OPTIONS[file_format]})").fetchall()[0][0]


def _cells(shown: Sequence[tuple[str, str]]) -> str:
    marks = [BYTE_ORDER_MARK, *([""] * (len(shown) - 1))]
    return ", ".join(f"{_cell(name, kind)} as {_quoted(mark + name)}" for mark, (name, kind) in zip(marks, shown, strict=True))


def _cell(name: str, kind: str) -> str:
    column = _quoted(name)
    if kind != "VARCHAR":
        return column
    return f"case when regexp_matches({column}, {_text(FORMULA)}) then chr(39) || {column} else {column} end"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

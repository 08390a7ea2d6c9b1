"""One batch as one script: its rows are loaded beside the tables first, then a transaction writes all of it or nothing.

What is small stands in the script itself. Nothing here is a parameter of a query: a script is text, made of our own
names, numbers, instants and plain words; whatever else a text holds goes through a load job.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from dagster_project.warehouse.bigquery_jobs import TYPES, Jobs

SMALL_ROWS, SMALL_BYTES = 20, 20_000  # a load job takes seconds, a script has a million characters at most
_PLAIN = re.compile(r"[ !#-&(-\[\]-~]*")  # printable ASCII without quotes and backslash


@dataclass(slots=True)
class Script:
    """Statements in the order of writing, and the tables of `loading` that they read."""

    jobs: Jobs
    name: str
    statements: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def relation(self, rows: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> str:
        """Return the rows as something to select from."""
        if rows.height <= SMALL_ROWS and rows.estimated_size() <= SMALL_BYTES and is_plain(rows):
            return literal_rows(rows, columns)
        table = f"loading.{self.name}_{len(self.loaded)}"
        self.jobs.load(table, rows, columns)
        self.loaded.append(table)
        return table

    def add(self, statement: str) -> None:
        """Append a statement."""
        self.statements.append(statement)

    def insert(self, table: str, rows: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> None:
        """Append rows to a table."""
        if rows.height:
            names = ", ".join(f"`{name}`" for name in columns)
            self.add(f"insert into {table} ({names}) select {names} from {self.relation(rows, columns)}")

    def replace(self, table: str, rows: pl.DataFrame, columns: Mapping[str, pl.DataType], keys: Sequence[str]) -> None:
        """Put rows in the place of those with their keys."""
        if not rows.height:
            return
        given, names = self.relation(rows, columns), ", ".join(f"`{name}`" for name in columns)
        same = " and ".join(f"t.{key} = g.{key}" for key in keys)
        values = ", ".join(f"g.`{name}`" for name in columns)
        new = ", ".join(f"`{name}` = g.`{name}`" for name in columns if name not in keys)
        self.add(
            f"merge {table} t using {given} g on {same} when matched then update set {new} "
            f"when not matched then insert ({names}) values ({values})"
        )

    def text(self, opening: str) -> str:
        """Return the whole transaction; it begins with `opening`."""
        return f"begin transaction;\n{opening}" + "".join(f"{one};\n" for one in self.statements) + "commit transaction;"

    def clean(self) -> None:
        """Drop what was loaded beside; what a killed process leaves there goes by itself after a day."""
        for table in self.loaded:
            self.jobs.run(f"drop table if exists {table}")


def script(jobs: Jobs, count: int) -> Script:
    """Return an empty script; `count` tells those of one process apart."""
    return Script(jobs, f"batch_{hashlib.sha256(f'{jobs.token} {count}'.encode()).hexdigest()[:16]}")


def is_plain(rows: pl.DataFrame) -> bool:
    """Return whether every text may stand in SQL as it is."""
    texts = rows.select(pl.col(pl.String))
    return all(text is None or _PLAIN.fullmatch(text) for column in texts.iter_columns() for text in column)


def literal_rows(rows: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> str:
    """Return few plain rows as a subquery, every value cast to its type."""
    lines = (
        ", ".join(
            f"cast({literal(value)} as {TYPES[type(dtype)]}) as `{name}`" for value, (name, dtype) in zip(row, columns.items(), strict=True)
        )
        for row in rows.select(list(columns)).iter_rows()
    )
    return f"({' union all '.join(f'select {line}' for line in lines)})"


def literal(value: object) -> str:
    """Return a value as BigQuery writes it.

    Raises:
        ValueError: a text that would have to be escaped; such rows are loaded.
    """
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    if isinstance(value, datetime):
        return f"'{value.isoformat(timespec='microseconds').replace('T', ' ')}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return f"'{value}'"
    raise ValueError(f"{value!r} cannot stand in SQL as it is")


def condition(where: Mapping[str, object]) -> str:
    """Return what is true of the rows with these values (NULL is one)."""
    found = (f"{name} is null" if value is None else f"{name} = {literal(value)}" for name, value in where.items())
    return " and ".join(found) or "true"


def same(keys: Iterable[str], one: str, other: str) -> str:
    """Return what joins rows of equal keys, NULL being equal to NULL; written so that BigQuery can make a hash join of it."""
    text = "coalesce(concat('=', cast({} as string)), '')"
    return " and ".join(f"{text.format(key.format(one))} = {text.format(key.format(other))}" for key in keys)

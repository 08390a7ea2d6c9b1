"""Make a table of raw anew from its own payloads, with its children and its latest rows: all of them or none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import polars as pl

from dagster_project.failpoint import failpoint
from dagster_project.frames.contract import KEY, VERSION, contract
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.layout import create_table, tables
from dagster_project.warehouse.tables import DAMAGED

BATCH_ROWS = 20_000
NEW = "__new"
_KEYS = ", ".join(KEY)


@dataclass(slots=True)
class Remade:
    """What became of one batch of versions; a version that is in none of the frames stays as it is, and so do its children."""

    versions: pl.DataFrame  # the columns of raw.<table>
    children: dict[str, pl.DataFrame] = field(default_factory=dict)
    latest: pl.DataFrame | None = None  # KEY, and the columns of the latest row that come from the payload


def batches(warehouse: DuckDBWarehouse, table: str) -> Iterator[pl.DataFrame]:
    """Yield the versions of a table in the order they were appended: the columns of VERSION, and payload."""
    end = warehouse.query(f"select coalesce(max(rowid) + 1, 0) as end_ from raw.{table}")["end_"].item()
    query = f"select {', '.join(VERSION)}, payload from raw.{table} where rowid >= ? and rowid < ? order by rowid"
    for start in range(0, end, BATCH_ROWS):
        yield warehouse.query(query, [start, start + BATCH_ROWS])


def rebuild(warehouse: DuckDBWarehouse, table: str, remake: Callable[[pl.DataFrame], Remade]) -> None:
    """Replace a table, its children and the derived columns of its latest rows by what `remake` makes of each batch.

    A crash at any place leaves everything as it was: the new tables take the place of the old ones in the transaction
    that made them.
    """
    names = [table, *(child.name for child in contract(table).children), f"{table}_latest"]
    with warehouse.transaction():
        for name in names:
            create_table(warehouse.connection, f"raw.{name}{NEW}", tables()[f"raw.{name}"])
        for batch in batches(warehouse, table):
            _store(warehouse, table, remake(batch))
        _keep_the_rest(warehouse, table, names)
        failpoint("rebuild.before_swap")
        for name in names:
            warehouse.execute(f"drop table raw.{name}")
            warehouse.execute(f"alter table raw.{name}{NEW} rename to {name}")


def mark_damaged(warehouse: DuckDBWarehouse, table: str, versions: pl.DataFrame, audit: list[dict]) -> None:
    """Let the next refresh read again those of the versions that are the latest of their records, and audit it.

    Args:
        warehouse: an open one.
        table: of raw.
        versions: KEY.
        audit: rows of ops.audit.
    """
    with warehouse.transaction(), warehouse.given(given_versions=versions):
        warehouse.execute(
            f"""update raw.{table}_latest l set shape_version = '{DAMAGED}', raw_hash = 0 from given_versions g
            where {" and ".join(f"l.{name} = g.{name}" for name in KEY)}"""
        )
        warehouse.append("ops.audit", pl.DataFrame(audit, schema=tables()["ops.audit"]))


def _store(warehouse: DuckDBWarehouse, table: str, remade: Remade) -> None:
    warehouse.append(f"raw.{table}{NEW}", remade.versions)
    for name, rows in remade.children.items():
        warehouse.append(f"raw.{name}{NEW}", rows)
    if remade.latest is not None and remade.latest.height:
        derived = ", ".join(f"g.{name} as {name}" for name in remade.latest.columns if name not in KEY)
        with warehouse.given(given_latest=remade.latest):
            warehouse.execute(
                f"insert into raw.{table}_latest{NEW} by name select l.* replace ({derived}) from raw.{table}_latest l "
                f"join given_latest g using ({_KEYS})"
            )


def _keep_the_rest(warehouse: DuckDBWarehouse, table: str, names: list[str]) -> None:
    """Copy what was not remade, the children of those versions too."""
    warehouse.execute(f"create or replace temp table kept as select {_KEYS} from raw.{table} anti join raw.{table}{NEW} using ({_KEYS})")
    for name in names:
        warehouse.execute(f"insert into raw.{name}{NEW} by name select o.* from raw.{name} o semi join kept using ({_KEYS})")
    warehouse.execute("drop table kept")

"""What a warehouse holds, in one word for each table, and what must be true of it at every moment."""

from pathlib import Path

import duckdb

from dagster_project.frames.contract import contract
from dagster_project.frames.schemas import RECORDS

OURS = {"run_id", "observed_at", "raw_hash"}  # when we read, and in which bytes: not what we read
COUNTED = OURS | {"version_number", "cause"}
LIVE = """
semi join (from raw.{parent}_latest where not is_deleted) using (organisation_id, id, version_number)
anti join (select organisation_id, record_id as id from ops.quarantine where endpoint = '{parent}' and status = 'open')
    using (organisation_id, id)
"""
TABLES = {table: parent for parent in RECORDS for table in (parent, *(child.name for child in contract(parent).children))}


def current_state(warehouse: Path) -> dict[str, str]:
    """Return the digest of the live records of each table and of their children: what a fresh full sync must equal.

    Of a record in quarantine the log keeps the last good version, which a fresh sync cannot know: it is left out.
    """
    return _digests(warehouse, COUNTED, LIVE)


def history(warehouse: Path) -> dict[str, str]:
    """Return the digest of all versions of each table and of their children: what an uninterrupted reading must equal."""
    return _digests(warehouse, OURS, "")


def _digests(warehouse: Path, left_out: set[str], only: str) -> dict[str, str]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        named = connection.execute("select table_name, column_name from information_schema.columns where table_schema = 'raw' order by all")
        columns = named.fetchall()
        parts = [
            f"select '{table}' as name, count(*) as n, sum(hash({_kept(columns, table, left_out)})) as digest "
            f"from raw.{table} t {only.format(parent=parent)}"
            for table, parent in TABLES.items()
        ]
        rows = connection.execute(" union all ".join(parts)).fetchall()
    return {name: f"{n} rows {digest}" for name, n, digest in rows}


def _kept(columns: list[tuple[str, str]], table: str, left_out: set[str]) -> str:
    return ", ".join(f't."{column}"' for name, column in columns if name == table and column not in left_out)


BROKEN = """
select 'two versions of one number in {table}' as what from raw.{table} group by organisation_id, id, version_number having count(*) > 1
union all select 'a latest row without its version in {table}' from raw.{table}_latest
    anti join raw.{table} using (organisation_id, id, version_number)
union all select 'two latest rows in {table}' from raw.{table}_latest group by organisation_id, id having count(*) > 1
union all select 'a version after the latest in {table}' from raw.{table} v
    join raw.{table}_latest l using (organisation_id, id) where v.version_number > l.version_number
union all select 'a watermark past what is stored in {table}' from ops.state s
    where endpoint = '{table}' and slice = '' and is_complete and watermark is not null
    and watermark > (select max(updated_at) from raw.{table}_latest where organisation_id = s.organisation_id)
"""
ORPHAN = "select 'a row without its version in {child}' from raw.{child} anti join raw.{parent} using (organisation_id, id, version_number)"
MISCOUNTED = """
select 'counts of ' || endpoint || ' do not add up' from ops.endpoint_runs
where fetched <> inserted + updated + unchanged + deduplicated + quarantined
"""


def broken(warehouse: Path) -> list[str]:
    """Return which of the laws that hold at every moment do not hold: one version of a number, no row alone, no watermark ahead."""
    parts = [BROKEN.format(table=table) for table in RECORDS]
    parts += [ORPHAN.format(parent=parent, child=child) for child, parent in TABLES.items() if child != parent]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return [what for (what,) in connection.execute(" union all ".join([*parts, MISCOUNTED])).fetchall()]

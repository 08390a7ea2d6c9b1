"""What a batch changes beside the log: burials, counts of what was seen again, rows of ops; each as statements of its script."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import polars as pl

from dagster_project.frames.contract import contract
from dagster_project.warehouse.base import Tombstone
from dagster_project.warehouse.bigquery_batch import Script, condition, same
from dagster_project.warehouse.tables import OPS, SEALED

# an entry that was given up stays so for as long as the record is the same
TAKEN_UP_AGAIN = """, status = case when t.status = 'discarded' and t.raw_hash = g.raw_hash then t.status else 'open' end,
    raw_json = g.raw_json, raw_hash = g.raw_hash, field = g.field, value = g.value, detail = g.detail, run_id = g.run_id"""
STONE = {"organisation_id": pl.Int64(), "id": pl.Int64(), "run_id": pl.String(), "observed_at": pl.Datetime("us", "UTC")}
FEW_IDS = 1000  # so many stand in the SQL, where BigQuery reads only their blocks of a clustered table


def among(ids: Sequence[int]) -> tuple[str, list[list[int]]]:
    """Return what is true of the records with one of these ids, and its parameters."""
    if len(ids) > FEW_IDS:
        return "id in unnest(?)", [list(ids)]
    return f"id in ({', '.join(str(int(one)) for one in ids) or 'null'})", []


def bury(writing: Script, table: str, stones: Sequence[Tombstone]) -> None:
    """Append a deleted version with the last payload to each record that is not deleted yet."""
    if not stones:
        return
    rows = pl.DataFrame([asdict(stone) for stone in stones], schema=STONE, orient="row").unique(["organisation_id", "id"], keep="first")
    given, columns = writing.relation(rows, STONE), contract(table).schema
    new = {
        "version_number": "v.version_number + 1", "cause": "'delete'", "is_deleted": "true",
        "run_id": "g.run_id", "observed_at": "g.observed_at",
    }  # fmt: skip
    few = f"and v.{among(rows['id'].to_list())[0]}" if rows.height <= FEW_IDS else ""
    writing.add(
        f"""insert into raw.{table} ({", ".join(f"`{name}`" for name in columns)})
        select {", ".join(new.get(name, f"v.`{name}`") for name in columns)} from raw.{table} v
        join raw.{table}_latest l on v.organisation_id = l.organisation_id and v.id = l.id and v.version_number = l.version_number
        join {given} g on g.organisation_id = v.organisation_id and g.id = v.id
        where not l.is_deleted {few}"""
    )
    writing.add(
        f"""update raw.{table}_latest t set version_number = t.version_number + 1, is_deleted = true from {given} g
        where t.organisation_id = g.organisation_id and t.id = g.id and not t.is_deleted"""
    )


def count(writing: Script, table: str, rows: pl.DataFrame | None, keys: Sequence[str], more: str = "") -> None:
    """Insert what is seen for the first time; of the rest note when it was last seen, and how often."""
    if rows is None or not rows.height:
        return
    names, values = (", ".join(f"{of}`{name}`" for name in OPS[table]) for of in ("", "g."))
    writing.add(
        f"merge ops.{table} t using {writing.relation(rows, OPS[table])} g on {same(keys, 't', 'g')} "
        f"when matched then update set last_seen_at = g.last_seen_at, times_seen = t.times_seen + g.times_seen{more} "
        f"when not matched then insert ({names}) values ({values})"
    )


def put(writing: Script, table: str, rows: Iterable[dict], keys: Sequence[str]) -> None:
    """Append rows to a table of ops, in the place of those with the same keys if there are keys."""
    given = list(rows)
    for row in given if keys else ():
        writing.add(f"delete from ops.{table} where {condition({key: row[key] for key in keys})}")
    writing.insert(f"ops.{table}", pl.DataFrame(given, schema=OPS[table], orient="row"), OPS[table])


def sealed(row: Mapping) -> dict:
    """Return a state with its seal: what it says as one digest, so that a change by anything but a sync shows."""
    said = "|".join(f"{name}={row[name]}" for name in SEALED if row.get(name) is not None)
    return {**row, "seal": hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()}

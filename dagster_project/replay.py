"""Rebuild the typed columns and the children of raw from its payloads: a new column costs no request.

Each payload is compared with its content hash; one that is not what was stored is named, keeps the columns it has, and
is read again by the next refresh.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, combinations
from time import monotonic

import msgspec
import polars as pl

from dagster_project.frames import flatten, records
from dagster_project.frames.contract import KEY, VERSION, Contract, contract
from dagster_project.frames.flatten import Version
from dagster_project.frames.records import Rejected
from dagster_project.ingest import labour_and_cost, updated_at
from dagster_project.maintainx.endpoints import BY_TABLE, Endpoint
from dagster_project.settings import Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.lease import wall_clock
from dagster_project.warehouse.open import existing_warehouse
from dagster_project.warehouse.rebuild import Remade, batches, mark_damaged, rebuild
from dagster_project.warehouse.tables import LATEST

Say = Callable[[str], None]
SAY_EVERY_ROWS = 100_000
NAMED = 20  # damaged versions that a message names; the others are counted
DERIVED = {name: LATEST[name] for name in ("created_at", "updated_at", "status", "labour_seconds", "cost_cents")}  # of a latest row

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Replayed:
    """What became of one table."""

    table: str
    rows: int = 0
    seconds: float = 0.0
    damaged: list[tuple[int, int, int]] = field(default_factory=list)  # organisation, id, version: not what was stored
    unfit: int = 0  # what was stored, and not what the contract asks for today: they keep their columns
    unverified: int = 0  # read in a shape that this program no longer knows

    @property
    def said(self) -> str:
        """Return one line for the console."""
        parts = [f"  {self.table}: {self.rows:,} {'version' if self.rows == 1 else 'versions'} in {self.seconds:.1f} s"]
        parts += [f"{self.unfit} keep their columns, they do not fit the contract of today"] if self.unfit else []
        parts += [f"{self.unverified} of a former shape could not be verified"] if self.unverified else []
        return ", ".join([*parts, *([f"DAMAGED: {named(self.damaged)}"] if self.damaged else ())])


def replay(settings: Settings, tables: Sequence[str] = (), is_check: bool = False, say: Say = print) -> list[Replayed]:
    """Verify every payload and, unless it is only a check, make the columns and the children from them anew.

    One table after the other, each in one transaction: after a crash, begun tables are as they were.
    """
    with existing_warehouse(settings, say) as warehouse:
        done = []
        for table in tables or BY_TABLE:
            done.append(replay_table(warehouse, table, is_check, say))
            say(done[-1].said)
    return done


def replay_table(warehouse: DuckDBWarehouse, table: str, is_check: bool = False, say: Say = print) -> Replayed:
    """Do the work of `replay` for one table."""
    done, started = Replayed(table), monotonic()

    def told(versions: pl.DataFrame) -> Remade:
        remade = remake(contract(table), BY_TABLE[table], versions, done, is_check)
        if done.rows // SAY_EVERY_ROWS < (done.rows + versions.height) // SAY_EVERY_ROWS:
            say(f"  {table}: {done.rows + versions.height:,} versions so far")
        done.rows += versions.height
        return remade

    if is_check:
        for batch in batches(warehouse, table):
            told(batch)
    else:
        rebuild(warehouse, table, told)
    if done.damaged:
        mark_damaged(warehouse, table, pl.DataFrame(done.damaged, schema=KEY, orient="row"), list(_audit(done)))
    done.seconds = monotonic() - started
    return done


def remake(declared: Contract, endpoint: Endpoint, rows: pl.DataFrame, done: Replayed, is_check: bool = False) -> Remade:
    """Return what a batch of versions becomes; those that cannot be taken are noted in `done` and left out."""
    versions: list[Version] = []
    for row in rows.iter_rows(named=True):
        payload = (row.pop("payload") or "").encode()
        if not is_intact(payload, row["content_hash"], endpoint.volatile):
            if payload and row["shape_version"] not in shapes(endpoint):
                done.unverified += 1
            else:
                done.damaged.append((row["organisation_id"], row["id"], row["version_number"]))
                continue
        if not is_check and (version := _version(declared, row, payload)) is not None:
            versions.append(version)
        else:
            done.unfit += not is_check
    children = {child.name: flatten.child_frame(child, [one for one in versions if not one.is_deleted]) for child in declared.children}
    latest = pl.DataFrame([_latest(one) for one in versions], schema={**KEY, **DERIVED}, orient="row")
    return Remade(flatten.versions_frame(declared, versions), children, latest)


def _version(declared: Contract, row: dict, payload: bytes) -> Version | None:
    record = records.validate(declared, payload, payload)
    if isinstance(record, Rejected):
        return None
    try:
        values, children = flatten.values_of(declared, record)
    except flatten.Unfit:
        return None
    head = {name: row[name] for name in VERSION}
    return Version(**head, record=record, values=values, children=children, payload=payload.decode(), raw=payload)


def _latest(version: Version) -> tuple:
    record = version.record
    instants = (flatten.utc(getattr(record, "created_at", None)), updated_at(version))
    return (
        version.organisation_id,
        version.id,
        version.version_number,
        *instants,
        getattr(record, "status", None),
        *labour_and_cost(record),
    )


def is_intact(payload: bytes, content_hash: int, volatile: frozenset[str]) -> bool:
    """Return whether a payload still has the content that was hashed when it was stored."""
    try:
        parts = _PARTS.decode(payload)
        hashed = {name: value for name, value in parts.items() if name not in volatile and bytes(value) != b"null"}
        if records.raw_hash(_ENCODER.encode(hashed)) == content_hash:
            return True
        return records.canonical(payload, volatile, keep_personal=True).content_hash == content_hash
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, records.DuplicateKey):
        return False


@cache
def shapes(endpoint: Endpoint) -> frozenset[str]:
    """Return every shape that rows of an endpoint may have been read in: with all expands, or without those the source lacks."""
    wanted = (*endpoint.expands, *([endpoint.fallback_expand] if endpoint.fallback_expand else ()))
    subsets: Iterator[tuple[str, ...]] = chain.from_iterable(combinations(wanted, size) for size in range(len(wanted) + 1))
    return frozenset(map(endpoint.shape_version, subsets))


def named(damaged: Sequence[tuple[int, int, int]]) -> str:
    """Return the first damaged versions in words, and how many more there are."""
    words = ", ".join(f"record {record_id} version {number}" for _, record_id, number in damaged[:NAMED])
    return words + (f" and {len(damaged) - NAMED} more" if damaged[NAMED:] else "")


def _audit(done: Replayed) -> Iterator[dict]:
    what = "payloads are not what was stored; the records whose newest version they are will be read again"
    for organisation_id in sorted({one[0] for one in done.damaged}):
        mine = [one for one in done.damaged if one[0] == organisation_id]
        about = {"audited_at": wall_clock(), "organisation_id": organisation_id, "endpoint": done.table, "action": "damaged_payload"}
        yield about | {"detail": f"{len(mine)} {what}: {named(mine)}"}

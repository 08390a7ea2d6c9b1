"""The few verbs the core asks of a warehouse: `duckdb.py` keeps it in a file, `bigquery.py` in BigQuery."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

import msgspec
import polars as pl


class WarehouseBusy(Exception):
    """Another process writes to this warehouse: says which, where, since when, and what to do."""


class LeaseLost(Exception):
    """This process stood still for so long that another one took over the warehouse: its last batch was not stored."""


class DiskTrouble(Exception):
    """The disk did not take what was written: says where, why and what to do next; what was committed is kept."""


class DamagedWarehouse(Exception):
    """The warehouse's file cannot be used (damaged, cut, or of another version): says why, and how to restore it."""


class BigQueryTrouble(Exception):
    """BigQuery refused or cannot be reached: says what it said and what to do next; what was committed is kept."""


class NotOnBigQuery(Exception):
    """The command works on a DuckDB warehouse alone: says what takes its place."""


@dataclass(frozen=True, slots=True)
class BatchSize:
    """When what was read is stored: as soon as one of the three is reached, or the walk ends."""

    rows: int
    size: int  # bytes as they came
    seconds: float


class Latest(msgspec.Struct, frozen=True, gc=False):
    """The newest version of one record, as far as the sync needs it."""

    version_number: int
    content_hash: int
    raw_hash: int
    shape_version: str
    created_at: datetime | None
    updated_at: datetime | None
    is_deleted: bool
    status: str | None
    labour_seconds: int | None
    cost_cents: int | None


@dataclass(frozen=True, slots=True)
class State:
    """Where the reading of one endpoint stands; a first load has one row per slice beside the main one (slice '')."""

    organisation_id: int
    endpoint: str
    slice: str = ""
    watermark: datetime | None = None
    slice_from: datetime | None = None
    slice_to: datetime | None = None
    is_complete: bool = False
    expands: str | None = None
    run_id: str | None = None
    generation: int | None = None  # of a sweep: its number


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record that the source confirmed as gone."""

    organisation_id: int
    id: int
    run_id: str
    observed_at: datetime


@dataclass(slots=True)
class Commit:
    """Everything of one batch: it is stored in one transaction or not at all."""

    table: str
    organisation_id: int | None = None
    versions: pl.DataFrame | None = None
    children: dict[str, pl.DataFrame] = field(default_factory=dict)
    latest: pl.DataFrame | None = None
    seen_again: pl.DataFrame | None = None  # organisation_id, id, raw_hash: same content in other bytes
    tombstones: Sequence[Tombstone] = ()
    accepted: pl.DataFrame | None = None  # record_id: rows that keep the contract; their quarantine ends
    quarantine: pl.DataFrame | None = None
    drift: pl.DataFrame | None = None
    states: Sequence[State] = ()
    seen: pl.DataFrame | None = None  # rows of ops.seen: what a sweep that is under way has met
    endpoint_run: dict | None = None


class Warehouse(Protocol):
    """One organisation-spanning store of raw and ops; a context manager that holds the writer's lock."""

    @property
    def batch(self) -> BatchSize:
        """Return how much makes a batch here."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    def latest(self, table: str, organisation_id: int, ids: Sequence[int]) -> dict[int, Latest]:
        """Return the newest version of those of `ids` that are known, deleted ones included."""
        ...

    def live(self, table: str, organisation_id: int) -> pl.DataFrame:
        """Return id, created_at, updated_at, status, labour_seconds and cost_cents of every live record, by id."""
        ...

    def column_of(self, table: str, organisation_id: int, column: str, ids: Sequence[int]) -> list:
        """Return the distinct values of a column in the newest versions of `ids`, in order."""
        ...

    def damaged(self, table: str, organisation_id: int) -> dict[int, datetime | None]:
        """Return the live records whose newest payload was found damaged, each with the instant it was created at."""
        ...

    def commit(self, batch: Commit) -> None:
        """Store one batch in one transaction."""
        ...

    def states(self, organisation_id: int, endpoint: str) -> dict[str, State]:
        """Return the endpoint's states by slice."""
        ...

    def forget_slices(self, organisation_id: int, endpoint: str, main: State) -> None:
        """End a first load: replace its slices by the main state."""
        ...

    def insert(self, table: str, rows: Iterable[dict]) -> None:
        """Append rows to a table of ops."""
        ...

    def replace(self, table: str, rows: Iterable[dict], where: dict) -> None:
        """Replace the rows of a table of ops that match `where` by `rows`, in one transaction."""
        ...

    def discard(self, entries: Sequence[Mapping], audit: Sequence[dict]) -> None:
        """Give up entries of ops.quarantine (rows of it), and append to ops.audit why."""
        ...

    def query(self, sql: str, parameters: Sequence = ()) -> pl.DataFrame:
        """Return the result of a query."""
        ...

    def frugal(self) -> AbstractContextManager[None]:
        """Keep to a part of the memory while the block runs: reading needs little, whatever is stored."""
        ...

    def released(self) -> AbstractContextManager[None]:
        """Let another client of this process (dbt) open the store, the lock still held."""
        ...

"""Records as they were read → what the log gains: compared, validated, numbered, counted; nothing is stored here."""

import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import msgspec
import polars as pl

from dagster_project.frames import flatten, records
from dagster_project.frames.contract import Contract, contract
from dagster_project.frames.flatten import Version
from dagster_project.frames.records import Rejected
from dagster_project.frames.schemas import Record
from dagster_project.maintainx.endpoints import Endpoint
from dagster_project.warehouse.base import Commit, Latest, Tombstone, Warehouse
from dagster_project.warehouse.tables import LATEST, OPS

# ids, and when they may have been created → their rows as they stand now
ReadAgain = Callable[[Mapping[int, set[datetime]]], dict[int, bytes]]


REVIVED = 3  # the least versions of a record that was deleted and is live again


class CountsDiffer(Exception):
    """fetched is not inserted + updated + unchanged + deduplicated + quarantined: a fault of ours; nothing was stored."""


@dataclass(frozen=True)
class Reading:
    """What all records of one reading have in common."""

    endpoint: Endpoint
    expands: tuple[str, ...]
    organisation_id: int
    run_id: str
    now: datetime  # the source's clock at the start of the run
    keep_personal: bool = False

    @cached_property
    def shape(self) -> str:
        """Return the fingerprint of what a row of this reading contains."""
        return self.endpoint.shape_version(self.expands)


@dataclass(slots=True)
class Counts:
    """What became of the records that were fetched."""

    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deduplicated: int = 0
    quarantined: int = 0
    deleted: int = 0

    def add(self, other: "Counts") -> None:
        """Add another batch's counts."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def check(self) -> None:
        """Raise unless each fetched record is accounted for once."""
        if self.fetched != self.inserted + self.updated + self.unchanged + self.deduplicated + self.quarantined:
            raise CountsDiffer(f"{self}")


@dataclass(slots=True)
class Intake:
    """One batch, ready to be committed, and what a reconciliation wants to know of it."""

    commit: Commit
    counts: Counts
    known: dict[int, Latest] = field(default_factory=dict)  # what the log had of the batch's ids
    seen_ids: set[int] = field(default_factory=set)  # quarantined ones included: they exist
    versions: list[Version] = field(default_factory=list)  # new content
    same_content: list[tuple[int, int, int]] = field(default_factory=list)  # organisation, id, raw_hash: the same in other bytes
    refused: list[Rejected] = field(default_factory=list)
    gone_ids: set[int] = field(default_factory=set)
    doubtful: dict[int, set[datetime]] = field(default_factory=dict)  # older than what the log has: when they may have been created
    reached: datetime | None = None  # the newest stamp of the rows that the log had already

    @property
    def refused_ids(self) -> set[int]:
        """Return the ids that went to quarantine."""
        return {one.record_id for one in self.refused if one.record_id is not None}

    @property
    def largest_updated_at(self) -> datetime | None:
        """Return the newest stamp of the batch's accepted rows; what was read again stands elsewhere in the list, and is left out."""
        new = [stamp for version in self.versions if version.id not in self.doubtful and (stamp := updated_at(version))]
        return max([*new, *([self.reached] if self.reached else ())], default=None)


def updated_at(version: Version) -> datetime | None:
    """Return the record's updatedAt in UTC; None where its endpoint has none."""
    stamp = getattr(version.record, "updated_at", None)
    return flatten.utc(stamp) if isinstance(stamp, datetime) else None


def take(reading: Reading, raws: Sequence[bytes], warehouse: Warehouse, read_again: ReadAgain | None = None) -> Intake:
    """Compare a batch with the log and return what is to be appended; the same batch twice appends nothing.

    The last of two rows with one id wins (it was fetched later). Rows with a broken contract go to quarantine, the
    others go on. A row whose updatedAt lies before the log's, or that stands again for a deleted record without a newer
    one, may come from a replica that is behind: `read_again` asks for it once more, and its answer counts, as old as it
    may be. Without it rows are taken as they are.
    """
    with _uncollected():
        return _take(reading, raws, warehouse, read_again)


@contextmanager
def _uncollected() -> Generator[None]:
    """Keep the collector of cycles from looking through a batch again and again: a fifth of the time went there, and it has none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _take(reading: Reading, raws: Sequence[bytes], warehouse: Warehouse, read_again: ReadAgain | None) -> Intake:
    declared = contract(reading.endpoint.table)
    intake = Intake(Commit(reading.endpoint.table), Counts(fetched=len(raws)))
    rows, gone = _keyed(reading, raws, intake)
    intake.known = warehouse.latest(reading.endpoint.table, reading.organisation_id, sorted(rows.keys() | gone.keys()))
    for record_id, raw in rows.items():
        _compare(reading, declared, record_id, raw, intake, is_final=read_again is None)
    if read_again is not None:
        _doubt(declared, gone, intake)
    if read_again is not None and intake.doubtful:
        _settle(reading, declared, read_again(intake.doubtful), intake)
    _keep_rules(declared, intake)
    _count(intake)
    _fill(reading, declared, intake)
    return intake


def _settle(reading: Reading, declared: Contract, answers: Mapping[int, bytes], intake: Intake) -> None:
    """Take the doubtful records as their list shows them now; one that it does not show stays as the log has it."""
    intake.counts.deduplicated += len(intake.doubtful)  # what the page said of them
    intake.counts.fetched += len(answers)
    intake.seen_ids -= intake.doubtful.keys() - answers.keys()
    again = Intake(intake.commit, intake.counts)
    for record_id, raw in _keyed(reading, list(answers.values()), again)[0].items():
        _compare(reading, declared, record_id, raw, intake, is_final=True)
    intake.refused += again.refused
    intake.gone_ids |= again.gone_ids


def _keyed(reading: Reading, raws: Sequence[bytes], intake: Intake) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Return the rows by id, and those that say themselves that they are deleted."""
    rows: dict[int, bytes] = {}
    gone: dict[int, bytes] = {}
    for raw in raws:
        key = records.key(raw, reading.organisation_id)
        if isinstance(key, Rejected):
            intake.refused.append(key)
            continue
        intake.counts.deduplicated += key.id in rows or key.id in gone
        (gone if key.deleted_at else rows)[key.id] = raw
        (rows if key.deleted_at else gone).pop(key.id, None)
    intake.seen_ids = rows.keys() | gone.keys() | intake.refused_ids
    intake.gone_ids = set(gone)
    intake.counts.unchanged += len(gone)
    return rows, gone


def _doubt(declared: Contract, gone: Mapping[int, bytes], intake: Intake) -> None:
    """Take none of the rows for deleted that may be older than the log's: the record may have been there again since."""
    for record_id, raw in gone.items():
        before = intake.known.get(record_id)
        if before is None or before.is_deleted or before.updated_at is None:
            continue
        if records.nests_beyond(raw, records.DEEPEST):
            continue
        record = records.validate(declared, raw, raw)
        stamp = None if isinstance(record, Rejected) else flatten.utc(getattr(record, "updated_at", None))
        if stamp is None or not (stamp < before.updated_at or (stamp == before.updated_at and before.version_number >= REVIVED)):
            continue
        intake.doubtful[record_id] = _created(before, record)
        intake.gone_ids.discard(record_id)
        intake.counts.unchanged -= 1


def _compare(  # noqa: PLR0917
    reading: Reading, declared: Contract, record_id: int, raw: bytes, intake: Intake, is_final: bool
) -> None:
    """Sort one record into unchanged, the same in other bytes, refused, doubtful, or a new version."""
    before, raw_hash = intake.known.get(record_id), records.raw_hash(raw)
    shape = reading.shape
    comparable = before if before and before.shape_version == shape and not before.is_deleted else None
    if comparable and comparable.raw_hash == raw_hash:
        _unchanged(record_id, comparable, intake)
        return
    try:
        canonical = records.canonical(raw, reading.endpoint.volatile, reading.keep_personal)
    except records.DuplicateKey as error:
        intake.refused.append(records.rejected(raw, "duplicate_key", str(error), error.key, record_id=record_id))
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        intake.refused.append(records.rejected(raw, "unreadable", str(error), record_id=record_id))
        return
    if comparable and comparable.content_hash == canonical.content_hash:
        _unchanged(record_id, comparable, intake)
        intake.same_content.append((reading.organisation_id, record_id, raw_hash))
        return
    record = records.validate(declared, canonical.payload, raw)
    if isinstance(record, Rejected):
        intake.refused.append(record)
        return
    try:
        values, children = flatten.values_of(declared, record)
    except flatten.Unfit as error:
        intake.refused.append(records.rejected(raw, "out_of_range", str(error), error.field, error.value, record_id))
        return
    version = Version(
        reading.organisation_id, record_id, before.version_number + 1 if before else 1, canonical.content_hash, raw_hash, shape,
        _cause(before, shape, record), reading.run_id, reading.now, False, record, values, children,
        canonical.payload.decode(), raw, canonical.keys,
    )  # fmt: skip
    if before and not is_final and _is_behind(version, before):
        intake.doubtful[record_id] = _created(before, record)
    else:
        intake.versions.append(version)


def _created(before: Latest, record: object) -> set[datetime]:
    """Return the instants at which a record may have been created: by the log, and by what was read."""
    return {instant for instant in (before.created_at, flatten.utc(getattr(record, "created_at", None))) if instant}


def _unchanged(record_id: int, before: Latest, intake: Intake) -> None:
    intake.counts.unchanged += 1
    if before.updated_at and record_id not in intake.doubtful:
        intake.reached = max(intake.reached or before.updated_at, before.updated_at)


def _is_behind(version: Version, before: Latest) -> bool:
    """Return whether a row is older than the log's, or shows a deleted record as it was."""
    stamp = updated_at(version)
    if stamp is None or before.updated_at is None:
        return False
    return stamp < before.updated_at or (before.is_deleted and stamp == before.updated_at)


def _cause(before: Latest | None, shape: str, record: Record) -> str:
    if before is None:
        return "first"
    created_at = getattr(record, "created_at", None)
    if before.created_at is not None and created_at is not None and before.created_at != created_at:
        return "new_life"
    if before.is_deleted:
        return "undelete"
    return "shape" if before.shape_version != shape else "change"


def _keep_rules(declared: Contract, intake: Intake) -> None:
    """Move the versions that break a rule across columns to the refused; the frame of the others is what will be appended."""
    if not intake.versions:
        return
    frame = flatten.versions_frame(declared, intake.versions)
    broken = flatten.broken_rules(declared, frame)
    for position, rule in broken.items():
        version = intake.versions[position]
        name, column = ("updatedAt", "updated_at") if "updated" in rule else ("endedAt", "ended_at")
        value = getattr(version.record, column)
        intake.refused.append(records.rejected(version.raw, rule, f"the row breaks the rule {rule}", name, value, version.id))
    intake.versions = [version for position, version in enumerate(intake.versions) if position not in broken]
    intake.commit.versions = frame.filter(~pl.int_range(pl.len()).is_in(list(broken))) if broken else frame


def _count(intake: Intake) -> None:
    counts = intake.counts
    counts.inserted = sum(version.id not in intake.known for version in intake.versions)
    counts.updated = len(intake.versions) - counts.inserted
    counts.quarantined = len(intake.refused)
    counts.check()


def _fill(reading: Reading, declared: Contract, intake: Intake) -> None:
    commit, versions = intake.commit, intake.versions
    if versions and commit.versions is not None:
        commit.children = {child.name: flatten.child_frame(child, versions) for child in declared.children}
        commit.latest = _latest(commit.versions, versions)
    if intake.same_content:
        commit.seen_again = pl.DataFrame(intake.same_content, schema=["organisation_id", "id", "raw_hash"], orient="row")
    buried = [record_id for record_id in sorted(intake.gone_ids & intake.known.keys()) if not intake.known[record_id].is_deleted]
    commit.tombstones = [Tombstone(reading.organisation_id, record_id, reading.run_id, reading.now) for record_id in buried]
    intake.counts.deleted = len(buried)
    accepted = sorted(intake.seen_ids - intake.refused_ids)
    commit.accepted = pl.DataFrame({"record_id": accepted}, schema={"record_id": pl.Int64})
    commit.organisation_id = reading.organisation_id
    commit.quarantine = _quarantine(reading, intake.refused)
    commit.drift = _drift(reading, declared, versions)


def _latest(frame: pl.DataFrame, versions: Sequence[Version]) -> pl.DataFrame:
    """Return the rows of the latest table: columns of the versions, and two sums of their children."""
    sums = [labour_and_cost(version.record) for version in versions]
    amounts = pl.DataFrame(sums, schema={"labour_seconds": LATEST["labour_seconds"], "cost_cents": LATEST["cost_cents"]}, orient="row")
    known = pl.concat([frame, amounts], how="horizontal")
    return known.select(pl.col(name) if name in known.columns else pl.lit(None, dtype).alias(name) for name, dtype in LATEST.items())


def labour_and_cost(record: object) -> tuple[int | None, int | None]:
    """Return labour seconds and cost in cents (labour, other expenditure) of a work order; (None, None) of anything else."""
    times = getattr(record, "time_item_rows", None)
    if times is None:
        return None, None
    costs = [*times, *getattr(record, "cost_rows", ())]
    return sum(row.duration_seconds or 0 for row in times), sum(row.amount_cents or 0 for row in costs)


def _quarantine(reading: Reading, refused: Sequence[Rejected]) -> pl.DataFrame:
    once = {(one.record_id or one.raw_hash, one.reason_code): one for one in refused}
    rows = [
        {
            "organisation_id": reading.organisation_id, "endpoint": reading.endpoint.table, "run_id": reading.run_id, "status": "open",
            "first_seen_at": reading.now, "last_seen_at": reading.now, "times_seen": 1, **msgspec.structs.asdict(one),
        }
        for one in once.values()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=OPS["quarantine"], orient="row")


def _drift(reading: Reading, declared: Contract, versions: Sequence[Version]) -> pl.DataFrame:
    keys = sorted({key for version in versions for key in version.keys} - declared.known_keys)
    found = [("unknown_key", key, None) for key in keys]
    found += [("unknown_value", name, value) for name, value in flatten.unknown_values(declared, versions)]
    rows = [
        {
            "organisation_id": reading.organisation_id, "endpoint": reading.endpoint.table, "kind": kind, "field": name, "value": value,
            "first_seen_at": reading.now, "last_seen_at": reading.now, "times_seen": 1,
        }
        for kind, name, value in found
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=OPS["drift"], orient="row")

"""Records as they were read → what the log gains: compared, validated, numbered, counted; nothing is stored here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import polars as pl

from dagster_project.frames import flatten, records
from dagster_project.frames.contract import Contract, contract
from dagster_project.frames.flatten import Version
from dagster_project.frames.records import Key, Rejected
from dagster_project.maintainx.endpoints import Endpoint
from dagster_project.warehouse.base import Commit, Latest, Warehouse
from dagster_project.warehouse.tables import LATEST, OPS


class CountsDiffer(Exception):
    """fetched is not inserted + updated + unchanged + deduplicated + quarantined: a fault of ours; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What all records of one reading have in common."""

    endpoint: Endpoint
    expands: tuple[str, ...]
    organisation_id: int
    run_id: str
    now: datetime  # the source's clock at the start of the run
    keep_personal: bool = False


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
    seen_ids: set[int] = field(default_factory=set)  # quarantined ones included: they exist
    refused_ids: set[int] = field(default_factory=set)
    changes: list[tuple[Version, Latest | None]] = field(default_factory=list)  # new content, and what the log had
    largest_updated_at: datetime | None = None
    known: dict[int, Latest] = field(default_factory=dict)


def take(reading: Reading, raws: Sequence[bytes], warehouse: Warehouse) -> Intake:
    """Compare a batch with the log and return what is to be appended; the same batch twice appends nothing.

    The last of two rows with one id wins (it was fetched later). Rows with a broken contract go to quarantine, the
    others go on.
    """
    declared = contract(reading.endpoint.table)
    table = reading.endpoint.table
    intake = Intake(Commit(table), Counts(fetched=len(raws)))
    refused: list[Rejected] = []
    rows = _keyed(reading, raws, intake, refused)
    intake.known = warehouse.latest(table, reading.organisation_id, list(rows))
    versions, again = _changed(reading, declared, rows, intake, refused)
    versions = _kept(declared, versions, refused)
    _fill(reading, declared, intake, versions, again, refused)
    intake.counts.check()
    return intake


def _keyed(reading: Reading, raws: Sequence[bytes], intake: Intake, refused: list[Rejected]) -> dict[int, tuple[Key, bytes]]:
    rows: dict[int, tuple[Key, bytes]] = {}
    for raw in raws:
        key = records.key(raw, reading.organisation_id)
        if isinstance(key, Rejected):
            refused.append(key)
            if key.record_id is not None:
                intake.seen_ids.add(key.record_id)
            continue
        intake.counts.deduplicated += key.id in rows
        rows[key.id] = (key, raw)
    intake.seen_ids.update(rows)
    return rows


def _changed(
    reading: Reading, declared: Contract, rows: dict[int, tuple[Key, bytes]], intake: Intake, refused: list[Rejected]
) -> tuple[list[Version], list[tuple[int, int, int]]]:
    """Return the new versions, and (organisation, id, raw_hash) of rows that say the same in other bytes."""
    shape = reading.endpoint.shape_version(reading.expands)
    versions: list[Version] = []
    again: list[tuple[int, int, int]] = []
    for record_id, (_, raw) in rows.items():
        before, raw_hash = intake.known.get(record_id), records.raw_hash(raw)
        is_same_shape = before is not None and before.shape_version == shape and not before.is_deleted
        if is_same_shape and before.raw_hash == raw_hash:
            intake.counts.unchanged += 1
            continue
        try:
            canonical = records.canonical(raw, reading.endpoint.volatile, reading.keep_personal)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refused.append(records.rejected(raw, "unreadable", str(error), record_id=record_id))
            continue
        if is_same_shape and before.content_hash == canonical.content_hash:
            intake.counts.unchanged += 1
            again.append((reading.organisation_id, record_id, raw_hash))
            continue
        record = records.validate(declared, canonical.payload, raw)
        if isinstance(record, Rejected):
            refused.append(record)
            continue
        versions.append(
            Version(
                reading.organisation_id, record_id, before.version_number + 1 if before else 1, canonical.content_hash, raw_hash, shape,
                _cause(before, shape, canonical.content_hash, flatten.utc(getattr(record, "created_at", None))), reading.run_id, reading.now,
                False, record, canonical.payload.decode(), raw, canonical.keys,
            )
        )  # fmt: skip
    return versions, again


def _cause(before: Latest | None, shape: str, content_hash: int, created_at: object) -> str:
    if before is None:
        return "first"
    if before.created_at is not None and created_at is not None and before.created_at != created_at:
        return "new_life"
    if before.is_deleted:
        return "undelete"
    return "shape" if before.shape_version != shape else "change"


def _kept(declared: Contract, versions: list[Version], refused: list[Rejected]) -> list[Version]:
    """Return the versions that keep the rules across columns; the others join the refused."""
    if not versions:
        return versions
    broken = flatten.broken_rules(declared, flatten.versions_frame(declared, versions))
    for position, rule in broken.items():
        version = versions[position]
        name = "updatedAt" if "updated" in rule else "endedAt"
        value = getattr(version.record, "updated_at" if "updated" in rule else "ended_at")
        refused.append(records.rejected(version.raw, rule, f"the row breaks the rule {rule}", name, value, version.id))
    return [version for position, version in enumerate(versions) if position not in broken]


def _fill(
    reading: Reading,
    declared: Contract,
    intake: Intake,
    versions: list[Version],
    again: list[tuple[int, int, int]],
    refused: list[Rejected],
) -> None:
    counts, commit = intake.counts, intake.commit
    counts.inserted = sum(version.id not in intake.known for version in versions)
    counts.updated = len(versions) - counts.inserted
    counts.quarantined = len(refused)
    intake.refused_ids = {one.record_id for one in refused if one.record_id is not None}
    intake.changes = [(version, intake.known.get(version.id)) for version in versions]
    stamps = [stamp for version in versions if (stamp := getattr(version.record, "updated_at", None))]
    same = [latest.updated_at for record_id, latest in intake.known.items() if record_id in intake.seen_ids and latest.updated_at]
    intake.largest_updated_at = max((flatten.utc(stamp) for stamp in [*stamps, *same]), default=None)
    if versions:
        commit.versions = flatten.versions_frame(declared, versions)
        commit.children = {child.name: flatten.child_frame(child, versions) for child in declared.children}
        commit.latest = pl.DataFrame([_latest(version) for version in versions], schema=LATEST, orient="row")
    if again:
        commit.seen_again = pl.DataFrame(again, schema=["organisation_id", "id", "raw_hash"], orient="row")
    commit.quarantine = _quarantine(reading, refused)
    commit.drift = _drift(reading, declared, versions)


def _latest(version: Version) -> tuple:
    record = version.record
    labour, cost = labour_and_cost(record)
    stamps = (flatten.utc(getattr(record, "created_at", None)), flatten.utc(getattr(record, "updated_at", None)))
    head = (version.organisation_id, version.id, version.version_number, version.content_hash, version.raw_hash, version.shape_version)
    return (*head, *stamps, version.is_deleted, getattr(record, "status", None), labour, cost)


def labour_and_cost(record: object) -> tuple[int | None, int | None]:
    """Return labour seconds and cost in cents (labour, other expenditure) of a work order; (None, None) of anything else."""
    times = getattr(record, "time_item_rows", None)
    if times is None:
        return None, None
    costs = [*times, *getattr(record, "cost_rows", ())]
    return sum(row.duration_seconds or 0 for row in times), sum(row.amount_cents or 0 for row in costs)


def _quarantine(reading: Reading, refused: Sequence[Rejected]) -> pl.DataFrame:
    rows = [
        {
            "organisation_id": reading.organisation_id, "endpoint": reading.endpoint.table, "run_id": reading.run_id, "status": "open",
            "first_seen_at": reading.now, "last_seen_at": reading.now, "times_seen": 1, **msgspec.structs.asdict(one),
        }
        for one in refused
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

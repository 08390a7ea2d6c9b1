"""Records that broke the contract: list them, try them again, or give them up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.failpoint import failpoint
from dagster_project.ingest import Intake, Reading, take
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.settings import Settings
from dagster_project.warehouse.base import Warehouse
from dagster_project.warehouse.lease import wall_clock
from dagster_project.warehouse.open import existing_warehouse
from dagster_project.warehouse.quarantined import entry_of, with_staleness

Say = Callable[[str], None]
NOT_KEPT_WHOLE = ("duplicate_key",)  # what was kept reads well, and is not what the source said
REPLACED = "\\ufffd"  # stands for bytes that are no text


class UnknownEntry(Exception):
    """No open entry of the quarantine has this name: names it, and where the names stand."""


@dataclass(slots=True)
class Replayed:
    """What became of the records that were tried again."""

    tried: int = 0
    healed: int = 0  # new versions of the log
    overtaken: int = 0  # the log has something newer already
    refused: int = 0  # still break the contract
    kept_in_part: int = 0  # only another reading can heal them


def entries(
    warehouse: Warehouse, endpoint: str | None = None, reason: str | None = None, organisation_id: int | None = None, status: str = "open"
) -> pl.DataFrame:
    """Return the entries of the quarantine: one row per record and reason, those that were seen last first.

    Columns: entry (its name), those of ops.quarantine, stale_since.
    """
    wanted = {"endpoint": endpoint, "reason_code": reason, "organisation_id": organisation_id, "status": status}
    given = {name: value for name, value in wanted.items() if value is not None}
    condition = " and ".join(f"{name} = ?" for name in given)
    order = "last_seen_at desc, organisation_id, endpoint, record_id, raw_hash"
    query = f"select * from ({with_staleness()}) as entries where {condition} order by {order}"
    found = warehouse.query(query, list(given.values()))
    names = pl.Series("entry", [entry_of(row) for row in found.iter_rows(named=True)], dtype=pl.String)
    return found.select(names, pl.all())


def replay(settings: Settings, run_id: str, endpoint: str | None = None, say: Say = print) -> Replayed:
    """Try the open records again: what keeps the contract by now joins the log, unless the log has something newer of it.

    Its versions count from the next finished refresh on, as those of any reading do.
    """
    with existing_warehouse(settings, say) as warehouse:
        found = entries(warehouse, endpoint)
        done = Replayed(tried=found.height)
        for rows in found.partition_by("organisation_id", "endpoint", maintain_order=True):
            reading = _reading(warehouse, settings, run_id, rows)
            _begin(warehouse, reading)
            _try_again(warehouse, reading, rows, done)
    return done


def _reading(warehouse: Warehouse, settings: Settings, run_id: str, rows: pl.DataFrame) -> Reading:
    """Return a reading in the endpoint's shape, at the instant that the organisation's last run reached."""
    first = rows.row(0, named=True)
    organisation_id, endpoint = first["organisation_id"], BY_TABLE[first["endpoint"]]
    main = warehouse.states(organisation_id, endpoint.table).get("")
    expands = (*endpoint.expands, *([main.expands] if main and main.expands else ()))
    query = "select max(started_at) as at from ops.runs where organisation_id = ? and kind <> 'replay'"
    reached = warehouse.query(query, [organisation_id])["at"].item()
    now = max(at for at in (reached, *rows["last_seen_at"]) if at)
    return Reading(endpoint, expands, organisation_id, run_id, now, settings.keep_personal_data)


def _begin(warehouse: Warehouse, reading: Reading) -> None:
    """Write the run that the versions belong to; the next refresh that finishes says from when it counts."""
    key = {"run_id": reading.run_id, "organisation_id": reading.organisation_id}
    times = {"started_at": reading.now, "finished_at": reading.now, "wall_started_at": wall_clock(), "wall_finished_at": wall_clock()}
    warehouse.replace("runs", [key | times | {"kind": "replay", "status": "finished", "requests": 0}], key)


def _try_again(warehouse: Warehouse, reading: Reading, rows: pl.DataFrame, done: Replayed) -> None:
    """Take the newest entry of each record as if it had just been read; all of them become one batch."""
    whole = [row for row in rows.iter_rows(named=True) if is_kept_whole(row)]
    done.kept_in_part += rows.height - len(whole)
    newest = {row["record_id"] or f"#{row['raw_hash']}": row for row in reversed(whole)}  # the rows come newest first
    current = _read_since(warehouse, reading, newest)
    raws = [row["raw_json"].encode() for key, row in newest.items() if key not in current]
    intake = take(reading, raws, warehouse, read_again=lambda _: {})  # the log is right where it knows of a newer change
    intake.commit.quarantine = None  # they were counted when they were read
    accepted = (intake.seen_ids | set(intake.doubtful) | current) - intake.refused_ids
    intake.commit.accepted = pl.DataFrame({"record_id": sorted(accepted)}, schema={"record_id": pl.Int64()})
    failpoint("quarantine.before_replay")
    warehouse.commit(intake.commit)
    failpoint("quarantine.after_replay")
    _tally(intake, newest, current, done)


def _tally(intake: Intake, newest: Mapping[int | str, dict], current: set[int], done: Replayed) -> None:
    done.healed += len(intake.versions) + len(intake.commit.tombstones)
    done.refused += len(intake.refused)
    done.overtaken += len(newest) - len(intake.versions) - len(intake.commit.tombstones) - len(intake.refused)


def is_kept_whole(row: Mapping) -> bool:
    """Return whether an entry still is what the source said: bytes that were no text, or a key that came twice, are lost."""
    return row["reason_code"] not in NOT_KEPT_WHOLE and not (row["reason_code"].startswith("unreadable") and REPLACED in row["raw_json"])


def _read_since(warehouse: Warehouse, reading: Reading, rows: Mapping[int | str, dict]) -> set[int]:
    """Return the records that the log has read well, or seen deleted, after they were refused."""
    table = reading.endpoint.table
    query = f"""
        select v.id, v.observed_at from raw.{table} v join raw.{table}_latest l using (organisation_id, id, version_number)
        where organisation_id = ? and id in ({", ".join(str(key) for key in rows if isinstance(key, int)) or "null"})
    """
    found = warehouse.query(query, [reading.organisation_id])
    return {record_id for record_id, observed_at in found.rows() if observed_at > rows[record_id]["last_seen_at"]}


def discard(settings: Settings, names: Sequence[str], reason: str, say: Say = print) -> int:
    """Give entries up, with a reason that is kept in ops.audit; return their number.

    The entry opens again when the source shows other content that breaks the contract.

    Raises:
        UnknownEntry: one of the names is not that of an open entry; nothing was changed.
    """
    with existing_warehouse(settings, say) as warehouse:
        found = {row["entry"]: row for row in entries(warehouse).iter_rows(named=True)}
        if unknown := [name for name in names if name not in found]:
            raise UnknownEntry(f"no open entry of the quarantine is named {unknown[0]}: see `make quarantine`")
        chosen = [found[name] for name in dict.fromkeys(names)]
        warehouse.discard(chosen, [audit_of(row, reason) for row in chosen])
    return len(chosen)


def audit_of(row: Mapping, reason: str) -> dict:
    """Return the row of ops.audit that says who was given up, and why."""
    what = f"record {row['record_id']}" if row["record_id"] is not None else f"a record without an id (raw_hash {row['raw_hash']})"
    detail = f"{row['entry']}: {what}, {row['reason_code']}, last seen {row['last_seen_at']:%Y-%m-%d %H:%M} UTC: {reason}"
    about = {"audited_at": wall_clock(), "organisation_id": row["organisation_id"], "endpoint": row["endpoint"]}
    return about | {"run_id": row["run_id"], "action": "discard", "detail": detail}

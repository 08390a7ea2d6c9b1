"""The KPIs of a past instant as they were known then, in a file of their own; the warehouse and what is published stay as they are."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from dagster_project import models, publish
from dagster_project.settings import Settings
from dagster_project.warehouse import copying
from dagster_project.warehouse.duckdb import connect
from dagster_project.warehouse.folders import ASIDE
from dagster_project.warehouse.lease import Say
from dagster_project.warehouse.open import existing_warehouse

LOG = ("raw", "ops")
_RUNS = "select distinct known_from from ops.runs where known_from is not null order by 1"
UNREAD = {"payload"}  # the models read columns; it is most of the bytes


class NoInstant(Exception):
    """What was given is neither a date nor an instant: names it and shows how both are written."""


class NotKnownYet(Exception):
    """The instant lies after the last finished run, or no run has finished: says up to when something is known."""


class FileExists(Exception):
    """There is a file where the result should go, and it is never overwritten: names it."""


class NoFolder(Exception):
    """The folder that should hold the result does not exist: names it."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What was written: the file, the two instants, and how many rows each table has."""

    path: Path
    as_of: datetime
    known_at: datetime
    is_observed: bool  # False: no run had finished by known_at, so every KPI says not_observed_yet
    tables: dict[str, int]


def evaluate(settings: Settings, as_of: str, out: Path, known_at: str | None = None, say: Say = print) -> Evaluated:
    """Evaluate all KPIs at a past instant, from what was known then, and write marts and ops to a new DuckDB file.

    The log is copied while no other process writes, and the models are built over the copy: nothing else is touched.
    What is configured (sites, time zones, crew hours) is today's.

    Args:
        settings: say which warehouse.
        as_of: a date (its last finished run, so what was reported last on that day in UTC) or an instant (UTC unless it says otherwise).
        out: the file to write; clients of DuckDB 1.2 and later open it.
        known_at: only what runs finished by then had read counts; by default the last one finished by `as_of`.
        say: told what is being done.

    Raises:
        FileExists, NoFolder: `out` cannot be written.
        NoInstant, NotKnownYet: `as_of` or `known_at` cannot be used.
        NoWarehouse, WarehouseBusy: there is nothing to read, or another process writes.
        ModelsFailed: the models could not be built.
    """
    if out.exists():
        raise FileExists(f"{out} exists already and is not overwritten: name another file, or remove it")
    if not out.parent.is_dir():
        raise NoFolder(f"there is no folder {out.parent.absolute()} to write {out.name} to")
    with _workspace(settings, out) as aside:
        with existing_warehouse(settings, say) as warehouse:
            runs = warehouse.query(_RUNS)["known_from"].to_list()
            moment, known = instants(runs, as_of, known_at)
            say(f"copying the log of {settings.warehouse_path}")
            copying.write_database(warehouse.connection, aside.warehouse_path, _log(warehouse.connection))
            if settings.dbt_target_dir.is_dir():  # what dbt compiled before serves here too
                shutil.copytree(settings.dbt_target_dir, aside.dbt_target_dir)
        say(f"building the models as of {_told(moment)}, from what was known at {_told(known)}")
        models.build(aside, moment, known)
        return Evaluated(out, moment, known, runs[0] <= known, _write(aside, out))


def instants(runs: Sequence[datetime], as_of: str, known_at: str | None) -> tuple[datetime, datetime]:
    """Return as_of and known_at as instants.

    Args:
        runs: when what each finished run read began to count, ascending.
        as_of: a date or an instant.
        known_at: a date, an instant, or None for the last run that had finished by `as_of`.

    Raises:
        NoInstant: what was given is neither.
        NotKnownYet: it lies after the last run, or there is none.
    """
    if not runs:
        raise NotKnownYet("no run has finished yet, so nothing is known of any instant: run `make refresh` first")
    moment = _instant(runs, "--as-of", as_of)
    if known_at is not None:
        return moment, _instant(runs, "--known-at", known_at)
    return moment, max((run for run in runs if run <= moment), default=moment)


def _instant(runs: Sequence[datetime], name: str, text: str) -> datetime:
    given = _read(name, text)
    latest = runs[-1]
    if given > (latest if isinstance(given, datetime) else latest.astimezone(UTC).date()):
        raise NotKnownYet(f"{name} {text} lies after the last finished run ({_told(latest)}): nothing is known of it yet")
    if isinstance(given, datetime):
        return given
    ends = datetime(given.year, given.month, given.day, tzinfo=UTC) + timedelta(days=1)
    return max((run for run in runs if run < ends), default=ends)


def _read(name: str, text: str) -> date:
    """Return a date, or an instant, which is a date too for Python."""
    try:
        if len(text) == len("2026-10-03"):
            return date.fromisoformat(text)
        found = datetime.fromisoformat(text)
    except ValueError:
        how = "write a date (2026-10-03), or an instant (2026-10-03T18:00Z, 2026-10-03T18:00-05:00)"
        raise NoInstant(f"{name} {text!r} is neither a date nor an instant: {how}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def _workspace(settings: Settings, out: Path) -> Generator[Settings]:
    """Give settings of a folder beside the result that vanishes afterwards."""
    with TemporaryDirectory(prefix=ASIDE, dir=out.parent) as folder:
        yield settings.model_copy(update={"data_dir": Path(folder).absolute()})


def _log(connection: copying.Connection) -> dict[tuple[str, str], str]:
    """Return the selections that copy raw and ops, the payloads left behind."""
    selections = {}
    for schema in LOG:
        for table in copying.base_tables(connection, schema):
            left = UNREAD & {*copying.columns(connection, schema, table)}
            exclude = f" exclude ({', '.join(sorted(left))})" if left else ""
            selections[schema, table] = f'select *{exclude} from {schema}."{table}"'
    return selections


def _write(aside: Settings, out: Path) -> dict[str, int]:
    """Copy marts and ops into the result, which appears whole or not at all; return the rows of each table."""
    whole = aside.data_dir / "result.duckdb"
    with connect(aside.warehouse_path, aside.duckdb_memory_limit) as connection:
        selections = publish.readable(connection)
        copying.write_database(connection, whole, selections, publish.words(aside))
        rows = copying.row_counts(connection, *LOG[1:], "marts")
    try:
        out.hardlink_to(whole)
    except FileExistsError:
        raise FileExists(f"{out} was made by somebody else meanwhile, and is not overwritten: name another file") from None
    return {f"{schema}.{table}": count for (schema, table), count in rows.items() if (schema, table) in selections}

"""Export tables of the published version: Parquet and CSV files under names that stay, and a manifest that says what they hold."""

import fcntl
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project import publish
from dagster_project.failpoint import failpoint
from dagster_project.settings import BadSettings, Settings
from dagster_project.warehouse import exporting
from dagster_project.warehouse.copying import Connection
from dagster_project.warehouse.disk import explained
from dagster_project.warehouse.exporting import Selection
from dagster_project.warehouse.folders import replace_text, sha256, whole_file
from dagster_project.warehouse.open import bigquery_place

MANIFEST = "manifest.json"
FORMATS = ("parquet", "csv")

Say = Callable[[str], object]


class NothingToExport(Exception):
    """Nothing is published yet: says where it was looked for, and what publishes."""


class UnknownTable(Exception):
    """A table that the published version does not have: names it and those it has."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of one table."""

    table: str  # "schema.table"
    version: str
    rows: int
    since: date | None
    dated_by: str | None  # the column that `since` was compared with
    files: tuple[Path, ...]


def export(
    settings: Settings,
    wanted: Sequence[str] = (),
    formats: Sequence[str] = FORMATS,
    *,
    out: Path | None = None,
    since: date | None = None,
    say: Say = print,
) -> list[Exported]:
    """Write tables of the version that is current, a file for each table and format; a reader sees old files or new ones, never parts.

    The names stay from export to export, so that a workbook finds its data again. The manifest is written last: it names version,
    rows, size and SHA-256 of each file, and keeps what it says of files that were not written this time.

    Args:
        settings: say where versions are published, and which folder is meant when `out` is None.
        wanted: tables by name, `marts.kpis` or `kpis` for short; every table of marts when there is none.
        formats: of FORMATS.
        out: the folder.
        since: only rows dated then (UTC) or later, or not dated; by which column is in the manifest. A table without dates is whole.
        say: told of each table.

    Raises:
        NothingToExport: nothing is published.
        UnknownTable: the version has no such table.
        UnreadableVersion: the published file cannot be opened.
        DiskTrouble: the folder cannot be written to.
    """
    published = _published(settings)
    folder, version, done = out or settings.export_dir, published.parent.name, []
    with explained(folder), _alone_in(folder), exporting.reading(published) as connection:
        for schema, table in _chosen(exporting.names(connection), wanted):
            done.append(_write(connection, version, exporting.select(connection, schema, table, since), formats, folder))
            say(_line(done[-1]))
        failpoint("export.before_manifest")
        replace_text(folder / MANIFEST, json.dumps(_manifest(folder, done), indent=2) + "\n")
    return done


def export_to_bigquery(settings: Settings, wanted: Sequence[str] = (), say: Say = print) -> list[Exported]:
    """Replace tables of BigQuery (datasets marts and ops of BIGQUERY_PROJECT) by those of the version that is current.

    Args:
        settings: name the project, and where versions are published.
        wanted: tables by name; every table of marts when there is none.
        say: told of each table.

    Raises:
        BadSettings: BIGQUERY_PROJECT is not set, or BigQuery is the warehouse: the tables are there.
        NothingToExport, UnknownTable, UnreadableVersion: as `export`.
        BigQueryTrouble: BigQuery cannot be reached or refuses.
    """
    from dagster_project.warehouse import bigquery_export  # noqa: PLC0415  Google's library takes a second

    if settings.warehouse == "bigquery":
        raise BadSettings("BigQuery is the warehouse already: its datasets hold marts and ops, there is nothing to export to it")
    place, published, done = bigquery_place(settings), _published(settings), []
    with exporting.reading(published) as connection:
        selections = [exporting.select(connection, *name, None) for name in _chosen(exporting.names(connection), wanted)]
        for selection, rows in bigquery_export.load(connection, selections, place):
            done.append(Exported(f"{selection.schema}.{selection.table}", published.parent.name, rows, None, None, ()))
            say(_line(done[-1]))
    return done


def described(folder: Path) -> dict[str, dict]:
    """Return what the manifest of a folder says of each table, by its name; nothing when there is none yet."""
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8"))["tables"] if path.is_file() else {}


def _published(settings: Settings) -> Path:
    found = publish.current(settings.published_dir)
    if found is None:
        raise NothingToExport(f"nothing is published in {settings.published_dir} yet: run `make refresh`, or `make demo`")
    return found


def _write(connection: Connection, version: str, selection: Selection, formats: Sequence[str], folder: Path) -> Exported:
    name, rows, files = f"{selection.schema}.{selection.table}", 0, []
    for one in formats:
        files.append(folder / f"{name}.{one}")
        with whole_file(files[-1]) as aside:
            rows = exporting.write(connection, selection, one, aside)
            failpoint("export.file_written")
    return Exported(name, version, rows, selection.since, selection.dated_by, tuple(files))


def _manifest(folder: Path, done: Sequence[Exported]) -> dict:
    tables = described(folder)
    for one in done:
        before = tables.get(one.table, {}).get("files", {})
        about = {"version": one.version, "rows": one.rows, "since": one.since and one.since.isoformat(), "dated_by": one.dated_by}
        files = {path.name: about | {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in one.files}
        tables[one.table] = {"files": before | files}
    return {"tables": dict(sorted(tables.items()))}


def _chosen(known: Sequence[tuple[str, str]], wanted: Sequence[str]) -> list[tuple[str, str]]:
    if not wanted:
        return [name for name in known if name[0] == "marts"]
    by_name = {table: (schema, table) for schema, table in reversed(known)} | {".".join(name): name for name in known}
    if missing := [name for name in wanted if name not in by_name]:
        raise UnknownTable(f"{', '.join(missing)} is not published; there are {', '.join('.'.join(name) for name in known)}")
    return list(dict.fromkeys(by_name[name] for name in wanted))


def _line(done: Exported) -> str:
    dated = f" since {done.since} by {done.dated_by}" if done.since else ""
    return f"  {done.table}: {done.rows:,} rows{dated}"


@contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    """Make the folder and let one export at a time write to it: two manifests would overwrite each other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

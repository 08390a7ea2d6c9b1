"""Back up what no rebuild can bring back (raw and ops) as Parquet, one immutable folder each, and restore it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.failpoint import failpoint
from dagster_project.settings import Settings
from dagster_project.warehouse import copying
from dagster_project.warehouse.folders import clear_unfinished, sha256, whole_folder
from dagster_project.warehouse.open import open_warehouse
from dagster_project.warehouse.tables import SEAL

MANIFEST = "manifest.json"
SCHEMAS = ("raw", "ops")
LEASE = ("ops", "lease")  # says who writes this one file: of no use in another


class NothingToBackUp(Exception):
    """The warehouse has no finished run: there is no state worth keeping."""


class NoBackup(Exception):
    """There is no backup to restore: names the folder that was looked into."""


class NotEmpty(Exception):
    """The warehouse holds records already, and a restore never overwrites: says what to move away."""


class DamagedBackup(Exception):
    """A file of the backup is missing or differs from its manifest: names the file."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: the folder it came from, and the rows of each table."""

    folder: Path
    rows: dict[str, int]


def backup(settings: Settings) -> Path:
    """Write raw and ops into a new folder of `settings.backup_dir` and return it.

    Backing up the same content again gives the folder that is there.

    Raises:
        NothingToBackUp: no run has finished yet.
    """
    if settings.warehouse == "duckdb" and not settings.warehouse_path.exists():
        raise NothingToBackUp(f"there is no warehouse in {settings.data_dir} (DATA_DIR): run `make refresh` first")
    with open_warehouse(settings) as warehouse:
        return write_backup(warehouse.connection, settings.backup_dir)


def write_backup(connection: copying.Connection, backup_dir: Path) -> Path:
    """Do the work of `backup` through a connection that is open already."""
    known_at = _last_known_at(connection)
    clear_unfinished(backup_dir)
    selections = {(schema, table): _ordered(connection, schema, table) for schema, table in _tables(connection)}
    digests = {".".join(name): copying.fingerprint(connection, query).digest for name, query in selections.items()}
    newest = newest_backup(backup_dir)
    if newest and {name: about["digest"] for name, about in _manifest(newest)["tables"].items()} == digests:
        return newest
    target = _free_name(backup_dir, f"{known_at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    statements = {schema: copying.base_tables(connection, schema) for schema in SCHEMAS}
    with whole_folder(target) as aside:
        failpoint("backup.before_copy")
        tables = {}
        for (schema, table), query in selections.items():
            name, file = f"{schema}.{table}", aside / f"{schema}.{table}.parquet"
            rows = copying.write_parquet(connection, query, file)
            failpoint("backup.table_written")
            tables[name] = {"rows": rows, "sha256": sha256(file), "digest": digests[name], "statement": statements[schema][table]}
        manifest = {"known_at": known_at.isoformat(), "tables": tables}
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return target


def restore(settings: Settings, folder: Path | None = None) -> Restored:
    """Put a backup into the warehouse, which must be empty; all of it or nothing.

    Args:
        settings: say which warehouse, and where backups lie.
        folder: the backup; by default the newest one.

    Raises:
        NoBackup: there is none.
        NotEmpty: the warehouse holds records.
        DamagedBackup: a file is missing, or its content is not what the manifest says.
    """
    source = folder or newest_backup(settings.backup_dir)
    if source is None or not (source / MANIFEST).is_file():
        raise NoBackup(f"no backup in {folder or settings.backup_dir}: a backup is a folder with a {MANIFEST}")
    tables = _manifest(source)["tables"]
    _verify(source, tables)
    with open_warehouse(settings) as warehouse:
        if _is_filled(warehouse.connection):
            raise NotEmpty(f"{settings.warehouse_path} holds records: move it away (or set another DATA_DIR), then restore again")
        with warehouse.transaction():
            rows = {name: _read_table(warehouse.connection, source, name, about) for name, about in tables.items()}
            failpoint("restore.before_commit")
    failpoint("restore.after_commit")
    return Restored(source, rows)


def newest_backup(backup_dir: Path) -> Path | None:
    """Return the newest complete backup, None when there is none."""
    return max((path.parent for path in backup_dir.glob(f"[0-9]*/{MANIFEST}")), default=None)


def _tables(connection: copying.Connection) -> list[tuple[str, str]]:
    names = [(schema, table) for schema in SCHEMAS for table in copying.base_tables(connection, schema)]
    return [name for name in names if name != LEASE]


def _ordered(connection: copying.Connection, schema: str, table: str) -> str:
    """Return the selection of a whole table in an order that two backups of one content share."""
    keys = [name for name in copying.columns(connection, schema, table) if name in ("organisation_id", "id", "version_number", "position")]
    return f'select * from {schema}."{table}"' + (f" order by {', '.join(keys)}" if keys else "")


def _last_known_at(connection: copying.Connection) -> datetime:
    known_at = None
    if "runs" in copying.tables(connection, "ops"):
        known_at = connection.execute("select max(known_from) from ops.runs").fetchall()[0][0]
    if known_at is None:
        raise NothingToBackUp("no run has finished yet: run `make refresh` first")
    return known_at


def _free_name(backup_dir: Path, name: str) -> Path:
    target, number = backup_dir / name, 1
    while target.exists():
        number += 1
        target = backup_dir / f"{name}_{number:03}"
    return target


def _manifest(folder: Path) -> dict:
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def _verify(folder: Path, tables: dict[str, dict]) -> None:
    for name, about in tables.items():
        file = folder / f"{name}.parquet"
        if not file.is_file() or sha256(file) != about["sha256"]:
            raise DamagedBackup(f"{file} is missing or differs from {folder / MANIFEST}: restore another backup")


def _is_filled(connection: copying.Connection) -> bool:
    filled = [(schema, table) for schema, table in _tables(connection) if schema == "raw" or table in ("runs", "kpi_reported")]
    return any(connection.execute(f'select exists (from {schema}."{table}")').fetchall()[0][0] for schema, table in filled)


def _read_table(connection: copying.Connection, folder: Path, name: str, about: dict) -> int:
    schema, table = name.split(".", 1)
    connection.execute(f"create schema if not exists {schema}")
    if table in copying.base_tables(connection, schema):
        connection.execute(f'delete from {schema}."{table}"')
    else:
        connection.execute(about["statement"])
    failpoint("restore.table_emptied")
    rows = copying.read_parquet(connection, schema, table, folder / f"{name}.parquet")
    if rows != about["rows"]:
        raise DamagedBackup(f"{folder / name}.parquet gave {rows} rows, its manifest says {about['rows']}")
    if name == "ops.state" and "seal" not in about["statement"]:  # of a program that did not seal yet
        connection.execute(f"update ops.state set seal = {SEAL}")
    return rows

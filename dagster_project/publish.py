"""Publish marts and ops for readers: a folder per version that is never changed, and a pointer to the one to read."""

import json
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dagster_project import models
from dagster_project.failpoint import failpoint
from dagster_project.settings import Settings
from dagster_project.warehouse import copying, notice, ops_words, reported
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.folders import clear_unfinished, replace_text, sha256, whole_folder
from dagster_project.warehouse.quarantined import with_staleness

if TYPE_CHECKING:
    from dagster_project.warehouse.bigquery import BigQueryWarehouse

POINTER = "CURRENT"
FILE = "marts.duckdb"
ALIAS = "analytics.duckdb"  # the same file: opened as marts.duckdb, DuckDB calls `marts.kpis` ambiguous (a database and a schema)
MANIFEST = "manifest.json"
KEPT_VERSIONS = 3  # a reader that has just read the pointer must still find its folder
PRIVATE = {"state", "audit", "lease"}  # tables of ops that say nothing to a reader

_VERSION = re.compile(r"\d{6}_\d{8}T\d{6}Z")
_SELECTIONS = {("ops", "quarantine"): f"select * exclude (raw_json) from ({with_staleness()})"}


# what a reader wants to know of a version before opening it; instants are those of the endpoint that is furthest behind
_FACTS = """
    select
        (select min(watermark) from ops.state where slice = '' and not contains(endpoint, '/')) as watermark,
        (select count(*) from ops.quarantine where status = 'open') as quarantined,
        (select min(swept_at) from (
            select max(reconciled_at) as swept_at from ops.reconciliation
            where scope <> 'rolling' and status <> 'failed' group by organisation_id, endpoint
        )) as last_sweep
"""


class DamagedPublication(Exception):
    """A published file is not the one that was published: names it. The next refresh publishes anew."""


class NothingToPublish(Exception):
    """The warehouse has no `marts.kpis` yet: build the models first (`make refresh`)."""


@dataclass(frozen=True, slots=True)
class Published:
    """One published version."""

    version: str  # <number>_<known_at>: sorts in the order of publishing
    path: Path  # the DuckDB file
    known_at: datetime
    as_of: datetime
    tables: dict[str, int]  # "schema.table" → rows
    reported: int  # KPI rows that this version reported for the first time, or otherwise than before
    is_new: bool  # False: nothing had changed, and this is the version that was current already

    @property
    def rows(self) -> int:
        """The rows of all tables together."""
        return sum(self.tables.values())


def publish(settings: Settings, warehouse: DuckDBWarehouse, known_at: datetime, as_of: datetime | None = None) -> Published:
    """Publish what the warehouse holds as a new version, and let CURRENT name it.

    Readers see the old version or the new one, never a part. Publishing the same content again gives the version that is there.
    What the new version says of each KPI for the first time goes to `ops.kpi_reported`, in the copy and in the warehouse.

    Args:
        settings: says where versions are published.
        warehouse: an open warehouse whose marts are built.
        known_at: the instant up to which finished runs count in the marts.
        as_of: the instant at which the KPIs are evaluated; by default `known_at`.

    Raises:
        NothingToPublish: the models were never built.
        LeaseLost: another process has taken over the warehouse; readers keep the old version.
    """
    if settings.warehouse == "bigquery":
        from dagster_project.warehouse.mirror import mirrored  # noqa: PLC0415  Google's library takes a second

        with mirrored(cast("BigQueryWarehouse", warehouse), settings.data_dir, settings.duckdb_memory_limit) as copy:
            return _publish(settings, copy, known_at, as_of)
    return _publish(settings, warehouse, known_at, as_of)


def _publish(settings: Settings, warehouse: DuckDBWarehouse, known_at: datetime, as_of: datetime | None) -> Published:
    connection, folder = warehouse.connection, settings.published_dir
    if "kpis" not in copying.tables(connection, "marts"):
        raise NothingToPublish(f"{settings.warehouse_path} has no marts.kpis: build the models first (make refresh)")
    previous = _prepare(warehouse, folder)
    version = _next_version(folder, reported.last_version(connection), known_at)
    news = reported.find_news(connection, version, known_at, as_of or known_at)
    selections = readable(connection) | {("ops", "kpi_reported"): f"from ops.kpi_reported union all by name from {reported.NEWS}"}
    tables = {f"{schema}.{table}": asdict(copying.fingerprint(connection, query)) for (schema, table), query in selections.items()}
    if previous and _manifest(previous)["tables"] == tables and is_intact(previous):
        notice.take_down(folder)
        return _published(previous, is_new=False)
    failpoint("publish.before_copy")
    with whole_folder(folder / version) as aside:
        copying.write_database(connection, aside / FILE, selections, words(settings))
        (aside / ALIAS).hardlink_to(aside / FILE)
        about = {"version": version, "known_at": known_at.isoformat(), "as_of": (as_of or known_at).isoformat(), "reported": news}
        manifest = about | facts(warehouse, version) | {"sha256": sha256(aside / FILE), "tables": tables}
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    failpoint("publish.before_pointer")
    warehouse.check_lease()
    replace_text(folder / POINTER, version + "\n")
    failpoint("publish.before_reported")
    notice.take_down(folder)
    with warehouse.transaction():
        reported.append_news(connection)
    failpoint("publish.before_cleaning")
    _remove_old_versions(folder)
    failpoint("publish.done")
    return _published(folder / version / ALIAS, is_new=True)


def facts(warehouse: DuckDBWarehouse, version: str) -> dict[str, int | str | None]:
    """Return what a manifest says of the content: generation, watermark, quarantined (open entries), last_sweep."""
    (found,) = warehouse.query(_FACTS).to_dicts()
    instants = {name: found[name] and found[name].isoformat() for name in ("watermark", "last_sweep")}
    return {"generation": int(version[:6]), "quarantined": found["quarantined"], **instants}


def words(settings: Settings) -> dict[tuple[str, str], copying.Words]:
    """Return what each table of marts and ops and its columns mean, as far as somebody has described them.

    Marts are described by the ymls of the models, which dbt keeps in its manifest; `ops` by `warehouse/ops_words.py`.
    """
    found = {("marts", name): copying.Words(about, columns) for name, (about, columns) in models.described(settings).items()}
    return found | {("ops", name): copying.Words(about, ops_words.columns(name)) for name, about in ops_words.TABLES.items()}


def verify(published_dir: Path) -> str | None:
    """Return the version that is current, after reading all of its file; None when nothing is published.

    Raises:
        DamagedPublication: the file is not the one that was published.
    """
    path = current(published_dir)
    if path is None:
        return None
    if not is_intact(path):
        raise DamagedPublication(f"{path} is not what was published (its SHA-256 is another): run `make refresh`, which publishes anew")
    return path.parent.name


def is_intact(path: Path) -> bool:
    """Return whether a published file has the digest that its manifest names."""
    return sha256(path) == _manifest(path)["sha256"]


def told(published_dir: Path) -> str | None:
    """Return what readers are told beside the figures: why there is no newer version; None when all is well."""
    return notice.read(published_dir)


def current(published_dir: Path) -> Path | None:
    """Return the DuckDB file of the version to read (schemas marts and ops), None before the first publication.

    The file never changes: `path.parent.name` is the version, and a good key for caches. Ask again for each new reading.
    Its name is ALIAS, so that a reader can say `from marts.kpis`.
    """
    pointer = published_dir / POINTER
    if not pointer.is_file():
        return None
    path = published_dir / pointer.read_text(encoding="utf-8").strip() / ALIAS
    return path if path.is_file() else None


def _prepare(warehouse: DuckDBWarehouse, published_dir: Path) -> Path | None:
    published_dir.mkdir(parents=True, exist_ok=True)
    clear_unfinished(published_dir)
    previous = current(published_dir)
    if previous:
        warehouse.check_lease()
        reported.take_back_in(warehouse.connection, previous)
    return previous


def _versions(published_dir: Path) -> list[str]:
    return sorted(path.name for path in published_dir.iterdir() if _VERSION.fullmatch(path.name))


def _next_version(published_dir: Path, last_reported: str | None, known_at: datetime) -> str:
    numbers = [int(version[:6]) for version in [*_versions(published_dir), *([last_reported] if last_reported else [])]]
    return f"{max(numbers, default=0) + 1:06}_{known_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def readable(connection: copying.Connection) -> dict[tuple[str, str], str]:
    """Return the tables of marts and ops that readers get, by (schema, table), each with its selection."""
    names = [(schema, table) for schema in ("marts", "ops") for table in copying.tables(connection, schema) if table not in PRIVATE]
    return {name: _SELECTIONS.get(name, 'select * from {}."{}"'.format(*name)) for name in names}


def _manifest(path: Path) -> dict:
    return json.loads((path.parent / MANIFEST).read_text(encoding="utf-8"))


def _published(path: Path, *, is_new: bool) -> Published:
    manifest = _manifest(path)
    return Published(
        version=manifest["version"],
        path=path,
        known_at=datetime.fromisoformat(manifest["known_at"]),
        as_of=datetime.fromisoformat(manifest["as_of"]),
        tables={name: table["rows"] for name, table in manifest["tables"].items()},
        reported=manifest["reported"],
        is_new=is_new,
    )


def _remove_old_versions(published_dir: Path) -> None:
    path = current(published_dir)
    for version in _versions(published_dir)[:-KEPT_VERSIONS]:
        if path is None or version != path.parent.name:
            shutil.rmtree(published_dir / version)

"""The main job: organisations → sync → reconcile when due → models → publish.

Each step is a function of its own: the command line calls them in a row, Dagster's assets one by one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dagster_project import backup, publish
from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.organisation_run import OrganisationRun, RefreshReport, new_run_id, run_organisation
from dagster_project.organisations import Say, Source, organisations, write_sites
from dagster_project.settings import Settings
from dagster_project.steps import reconcile_if_due, sweep_if_due, sync_and_reconcile, sync_endpoint
from dagster_project.warehouse.base import Warehouse
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse

if TYPE_CHECKING:
    import httpx

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NothingReadable(Exception):
    """No organisation could be read: nothing was published; says why for each."""


class OtherSource(Exception):
    """The warehouse holds another source's records: refuses to mix them."""


class LostWarehouse(Exception):
    """The warehouse is empty but backups exist: refuses to start over silently."""


def refresh(
    settings: Settings,
    say: Say = print,
    run_id: str | None = None,
    accepted: Sequence[str] = (),
    transport: "httpx.BaseTransport | None" = None,
) -> RefreshReport:
    """Run the whole main job once and say how it goes.

    An organisation that fails does not stop the others: the marts are built and published from the others' fresh data
    and its own last good data, and `failed` names it.

    Raises:
        NothingReadable: no organisation has a finished run; nothing was published.
        LostWarehouse, OtherSource: see `check_warehouse`.
    """
    return _job(settings, say, run_id or new_run_id(), transport, partial(read_organisation, accepted=accepted))


def reconcile_all(
    settings: Settings,
    say: Say = print,
    is_full: bool = False,
    accepted: Sequence[str] = (),
    transport: "httpx.BaseTransport | None" = None,
) -> RefreshReport:
    """Reconcile every endpoint of every organisation now, then rebuild and publish."""
    return _job(settings, say, new_run_id(), transport, partial(reconcile_organisation, is_full=is_full, accepted=accepted))


def _job(
    settings: Settings,
    say: Say,
    run_id: str,
    transport: "httpx.BaseTransport | None",
    read: Callable[[Source, Warehouse, RefreshReport], None],
) -> RefreshReport:
    """Read each organisation, then build and publish."""
    with open_warehouse(settings) as warehouse:
        check_warehouse(settings, warehouse)
        report = RefreshReport(run_id)
        sources = organisations(settings, say, transport)
        for source in sources:
            read(source, warehouse, report)
        write_sites(warehouse, sources)
        publish_all(settings, warehouse, report, say)
    return report


def read_organisation(source: Source, warehouse: Warehouse, report: RefreshReport, accepted: Sequence[str] = ()) -> None:
    """Sync every endpoint of one organisation, sweep labour when due, and reconcile what was not reconciled for a day."""

    def work(part: OrganisationRun) -> None:
        for endpoint in ENDPOINTS:
            done = sync_endpoint(endpoint, part)
            if done.status == "ok":
                sweep_if_due(endpoint, part, done)
                reconcile_if_due(endpoint, part)

    run_organisation(source, warehouse, report, "refresh", work, accepted)


def reconcile_organisation(
    source: Source, warehouse: Warehouse, report: RefreshReport, is_full: bool = False, accepted: Sequence[str] = ()
) -> None:
    """Read what changed and then reconcile, endpoint by endpoint: so news is not taken for a difference."""

    def work(part: OrganisationRun) -> None:
        for endpoint in ENDPOINTS:
            sync_and_reconcile(endpoint, part, is_full)

    run_organisation(source, warehouse, report, "reconcile", work, accepted)


def publish_all(settings: Settings, warehouse: DuckDBWarehouse, report: RefreshReport, say: Say) -> None:
    """Build the models as of the last finished run and publish them."""
    report.known_at = last_known_at(warehouse)
    if report.known_at is None:
        raise NothingReadable("; ".join(f"organisation {one}: {why}" for one, why in report.failed.items()) or "no organisation was read")
    from dagster_project import models  # noqa: PLC0415  dbt takes a second to import: not before there is something to build

    say("building the models")
    with warehouse.released():
        models.build(settings, report.known_at, report.known_at)
    report.published = publish.publish(settings, warehouse, report.known_at, report.known_at)
    say(f"published version {report.published.version}")
    for organisation_id, why in report.failed.items():
        say(f"organisation {organisation_id} failed, its last good data is shown: {why}")


def last_known_at(warehouse: Warehouse) -> datetime | None:
    """Return the instant at which KPIs are evaluated by default: the end of the last finished run, by the source's clock."""
    return warehouse.query("select max(known_from) as at from ops.runs")["at"].item()


def check_warehouse(settings: Settings, warehouse: Warehouse) -> None:
    """Raise unless this is the warehouse to write to; one that has read nothing yet belongs to this source from now on.

    Raises:
        LostWarehouse: it is empty where a backup exists: a first load would hide that history was lost.
        OtherSource: it holds another source's records: the figures of both would be mixed.
    """
    is_empty = warehouse.query("select count(*) as n from ops.runs")["n"].item() == 0
    newest = backup.newest_backup(settings.backup_dir) if is_empty else None
    if newest:
        what = f"{settings.warehouse_path} is empty, but there is a backup in {newest}"
        raise LostWarehouse(f"{what}: run `make restore`, or move the backups away to start a new history")
    source = source_of(settings.maintainx_url)
    known = warehouse.query("select source from ops.source where exists (select 1 from ops.state)")["source"].to_list()
    if known and known != [source]:
        what = f"{settings.warehouse_path} holds records of {known[0]}, but MAINTAINX_URL names {source}"
        raise OtherSource(f"{what}: set another DATA_DIR, or remove what is there with `make clean`")
    if not known:  # nothing was read: an address with a slip of the pen must not stay
        warehouse.replace("source", [{"source": source}], {})


def source_of(url: str) -> str:
    """Return what tells one source from another: the host of its address; a simulator on this machine may change its port."""
    parts = urlsplit(url)
    return "the simulator on this machine" if parts.hostname in LOOPBACK else parts.netloc.rpartition("@")[2]

"""The main job: organisations → sync → reconcile when due → models → publish.

Each step is a function of its own: the command line calls them in a row, Dagster's assets one by one.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import httpx

from dagster_project import backup, models, publish, reconcile, sites, sync
from dagster_project.failpoint import failpoint
from dagster_project.frames.records import owner_of
from dagster_project.maintainx import client as maintainx
from dagster_project.maintainx.endpoints import ENDPOINTS, Endpoint
from dagster_project.maintainx.errors import Forbidden, MaintainXError, ProtocolError, RateLimited, Unauthorized, Unavailable
from dagster_project.maintainx.pacing import Budget
from dagster_project.reconcile import Comparison
from dagster_project.settings import MissingToken, Settings
from dagster_project.sites import Organisation
from dagster_project.sync import Breaker, EndpointReport, Run
from dagster_project.warehouse.base import Warehouse
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse

Say = Callable[[str], None]
LARGEST_SKEW = timedelta(hours=1)  # between two clocks of the source
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOPELESS = (Unauthorized, RateLimited, Unavailable)  # end an organisation's run at once


class NothingReadable(Exception):
    """No organisation could be read: nothing was published; says why for each."""


class OtherSource(Exception):
    """The warehouse holds another source's records: refuses to mix them."""


class LostWarehouse(Exception):
    """The warehouse is empty but backups exist: refuses to start over silently."""


@dataclass(frozen=True, slots=True)
class Source:
    """One organisation and how to reach it."""

    settings: Settings
    organisation: Organisation
    sends_header: bool
    transport: httpx.BaseTransport | None = None
    say: Say = field(default=lambda _: None)
    others: tuple[int, ...] = ()  # what its token reads, when this organisation is not among it

    @property
    def organisation_id(self) -> int:
        """Return the organisation's id."""
        return self.organisation.organisation_id

    def connect(self) -> maintainx.MaintainX:
        """Return a client to use with `with`; all clients of one token share its rate budget.

        Raises:
            MissingToken: the variable that sites.toml names is not set.
            Forbidden: its token is another organisation's, whose records must not be taken for this one's.
        """
        variable = self.organisation.token_variable
        if self.others:
            what = f"the token in {variable} reads organisation {', '.join(map(str, self.others))} and not {self.organisation_id}"
            raise Forbidden(f"{what}: nothing was read; check the id in sites.toml, and the token", path="/organizations")
        token = self.settings.token(variable).get_secret_value()
        return maintainx.MaintainX(
            self.settings.maintainx_url, token, self.organisation_id if self.sends_header else None, budget(self.settings, token),
            transport=self.transport, token_variable=variable,
            on_wait=lambda seconds, why: self.say(f"waiting {seconds:.0f} s: {why}"),
        )  # fmt: skip


@dataclass(slots=True)
class RefreshReport:
    """What a refresh did."""

    run_id: str
    endpoints: list[EndpointReport] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)  # organisation → why
    published: publish.Published | None = None
    known_at: datetime | None = None

    @property
    def status(self) -> int:
        """Return the exit status: 1 when an organisation failed."""
        return int(bool(self.failed))

    @property
    def requests(self) -> int:
        """Return the requests of all readings."""
        return sum(report.requests for report in self.endpoints) + sum(one.report.requests for one in self.comparisons if one.report)

    @property
    def fetched(self) -> int:
        """Return the records read."""
        return sum(report.counts.fetched for report in self.endpoints)

    @property
    def versions(self) -> int:
        """Return the versions appended, tombstones included, by syncs and reconciliations."""
        reports = [*self.endpoints, *(one.report for one in self.comparisons if one.report)]
        return sum(report.counts.inserted + report.counts.updated + report.counts.deleted for report in reports)


@dataclass(frozen=True, slots=True)
class Reading:
    """One organisation's part of a run, while it goes on."""

    client: maintainx.MaintainX
    warehouse: Warehouse
    run: Run
    report: RefreshReport
    say: Say

    @property
    def key(self) -> dict:
        """Return what names this part of the run in the tables of ops."""
        return {"run_id": self.run.run_id, "organisation_id": self.run.organisation_id}


_BUDGETS: dict[tuple[str, str], Budget] = {}
_BUDGETS_LOCK = threading.Lock()


def budget(settings: Settings, token: str) -> Budget:
    """Return this process's one rate budget for a token."""
    with _BUDGETS_LOCK:
        return _BUDGETS.setdefault((settings.maintainx_url, token), Budget(share=settings.rate_share))


def refresh(
    settings: Settings,
    say: Say = print,
    run_id: str | None = None,
    accepted: Sequence[str] = (),
    transport: httpx.BaseTransport | None = None,
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
    settings: Settings, say: Say = print, is_full: bool = False, accepted: Sequence[str] = (), transport: httpx.BaseTransport | None = None
) -> RefreshReport:
    """Reconcile every endpoint of every organisation now, then rebuild and publish."""
    return _job(settings, say, new_run_id(), transport, partial(reconcile_organisation, is_full=is_full, accepted=accepted))


def _job(
    settings: Settings,
    say: Say,
    run_id: str,
    transport: httpx.BaseTransport | None,
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


def organisations(settings: Settings, say: Say = print, transport: httpx.BaseTransport | None = None) -> list[Source]:
    """Return the organisations to read: those of sites.toml, else those that the token may read.

    The organisation header is sent only with a token that reads more than one. A token that cannot be used leaves its
    organisations in the list: reading them fails, and says so.
    """
    declared = sites.load(settings.sites_file)
    variables = list(dict.fromkeys(one.token_variable for one in declared)) or ["MAINTAINX_TOKEN"]
    found: list[Source] = []
    for variable in variables:
        mine = [one for one in declared if one.token_variable == variable]
        asker = Source(settings, Organisation(0, variable), False, transport, say)
        records = _readable(asker, is_required=not declared)
        wanted = mine or [Organisation(record["id"]) for record in records.values()] or [_unnamed(asker)]
        sends_header = max(len(wanted), len(records)) > 1
        for one in wanted:
            others = () if one.organisation_id in records else tuple(sorted(records))
            found.append(Source(settings, sites.complete(one, records.get(one.organisation_id)), sends_header, transport, say, others))
    return found


def read_organisation(source: Source, warehouse: Warehouse, report: RefreshReport, accepted: Sequence[str] = ()) -> None:
    """Sync every endpoint of one organisation, and reconcile those whose last reconciliation is older than a day."""

    def work(reading: Reading) -> None:
        for endpoint in ENDPOINTS:
            done = sync_endpoint(endpoint, reading)
            if done.status == "ok" and reconcile.is_due(endpoint, warehouse, reading.run):
                reconcile_endpoint(endpoint, reading)

    run_organisation(source, warehouse, report, "refresh", work, accepted)


def reconcile_organisation(
    source: Source, warehouse: Warehouse, report: RefreshReport, is_full: bool = False, accepted: Sequence[str] = ()
) -> None:
    """Read what changed and then reconcile, endpoint by endpoint: so news is not taken for a difference."""

    def work(reading: Reading) -> None:
        for endpoint in ENDPOINTS:
            sync_and_reconcile(endpoint, reading, is_full)

    run_organisation(source, warehouse, report, "reconcile", work, accepted)


def sync_and_reconcile(endpoint: Endpoint, reading: Reading, is_full: bool = False) -> Comparison | None:
    """Sync one endpoint, then reconcile it; None when it cannot be read, or was just read for the first time and whole."""
    done = sync_endpoint(endpoint, reading)
    return reconcile_endpoint(endpoint, reading, is_full) if done.status == "ok" and not done.is_first_load else None


def run_organisation(  # noqa: PLR0917
    source: Source, warehouse: Warehouse, report: RefreshReport, kind: str, work: Callable[[Reading], None], accepted: Sequence[str] = ()
) -> None:
    """Do `work` as one organisation's part of a run; its row in ops.runs is written before and after.

    What the source or the token refuses ends up in `report.failed`, not in the caller: the other organisations go on.
    """
    started = datetime.now(UTC)
    key = {"run_id": report.run_id, "organisation_id": source.organisation_id}
    row = key | {"status": "failed", "kind": kind, "wall_started_at": started}
    try:
        with source.connect() as client:
            run = Run(report.run_id, source.organisation_id, client.now(), source.settings.keep_personal_data, frozenset(accepted))
            row |= {"started_at": run.now}
            reading = Reading(client, warehouse, run, report, source.say)
            begin(reading, kind, started)
            work(reading)
            finish(reading, source, kind, started)
    except (MaintainXError, MissingToken) as error:
        report.failed[source.organisation_id] = why = f"{type(error).__name__}: {error}"
        warehouse.replace("runs", [row | {"wall_finished_at": datetime.now(UTC), "error": why}], key)


def begin(reading: Reading, kind: str, started: datetime) -> None:
    """Write that the run has begun; its instant is the source's clock."""
    run = reading.run
    row = {"kind": kind, "status": "running", "started_at": run.now, "wall_started_at": started}
    reading.warehouse.replace("runs", [reading.key | row], reading.key)
    detail = "breakers of this endpoint are overridden in this run"
    rows = [
        reading.key | {"audited_at": run.now, "endpoint": table, "action": "accept", "detail": detail} for table in sorted(run.accepted)
    ]
    reading.warehouse.insert("audit", rows)
    failpoint("run.begun")


def finish(reading: Reading, source: Source, kind: str, started: datetime) -> None:
    """Write how the run ended. From a finished run on its versions count, and those of earlier runs that never finished."""
    why = failures(reading)
    failpoint("run.before_finish")
    with source.connect() as fresh:
        finished_at = plausible(fresh.now(), reading.run.now, datetime.now(UTC) - started)
    row = {
        "kind": kind, "status": "failed" if why else "finished", "started_at": reading.run.now, "finished_at": finished_at,
        "known_from": None if why else finished_at, "wall_started_at": started, "wall_finished_at": datetime.now(UTC),
        "requests": reading.client.requests + 1, "error": why,
    }  # fmt: skip
    reading.warehouse.replace("runs", [reading.key | row], reading.key)
    failpoint("run.finished")
    if why:
        reading.report.failed[source.organisation_id] = why
    else:
        supersede(reading, finished_at)


def plausible(finished_at: datetime, started_at: datetime, took: timedelta) -> datetime:
    """Return the end of a run by the source's clock; one absurd answer must not date what is known for ever."""
    return min(max(finished_at, started_at), started_at + took + LARGEST_SKEW)


def supersede(reading: Reading, finished_at: datetime) -> None:
    """Let the versions of earlier runs that never finished count from now on: this run has read past them."""
    rows = reading.warehouse.query(
        "select * from ops.runs where organisation_id = ? and known_from is null and run_id <> ?",
        [reading.run.organisation_id, reading.run.run_id],
    ).to_dicts()
    for row in rows:
        status = "superseded" if row["status"] == "running" else row["status"]
        reading.warehouse.replace("runs", [row | {"known_from": finished_at, "status": status}], reading.key | {"run_id": row["run_id"]})
        failpoint("run.superseded")


def failures(reading: Reading) -> str | None:
    """Return which endpoints of this run failed and why, None when none did."""
    rows = reading.warehouse.query(
        "select endpoint, reason from ops.endpoint_runs where run_id = ? and organisation_id = ? and status = 'failed' order by 1",
        list(reading.key.values()),
    ).rows()
    return "; ".join(f"{endpoint}: {reason}" for endpoint, reason in rows) or None


def sync_endpoint(endpoint: Endpoint, reading: Reading) -> EndpointReport:
    """Sync one endpoint; a failure is written, said, and left to the run's end, so that the other endpoints go on.

    Raises:
        Unauthorized, RateLimited, Unavailable: no other endpoint of this organisation would fare better.
    """
    try:
        done = sync.sync(endpoint, reading.client, reading.warehouse, reading.run, lambda now: _say_batch(reading, now))
    except HOPELESS as error:
        failed_endpoint(endpoint, reading, "sync", error)
        raise
    except (MaintainXError, Breaker) as error:
        done = failed_endpoint(endpoint, reading, "sync", error)
    if done.status == "ok" and done.is_first_load:
        reconcile.first_load(done, reading.warehouse, reading.run)
    reading.report.endpoints.append(done)
    reading.say(said(done))
    return done


def reconcile_endpoint(endpoint: Endpoint, reading: Reading, is_full: bool = False) -> Comparison:
    """Reconcile one endpoint; a failure is written, said, and left to the run's end, as in `sync_endpoint`."""
    try:
        found = reconcile.reconcile(endpoint, reading.client, reading.warehouse, reading.run, is_full)
    except HOPELESS as error:
        failed_endpoint(endpoint, reading, "reconcile", error)
        raise
    except (MaintainXError, Breaker) as error:
        found = Comparison("full" if is_full else "rolling", status="failed", reason=f"{type(error).__name__}: {error}")
        found.report = failed_endpoint(endpoint, reading, "reconcile", error)
        reading.warehouse.insert("reconciliation", [found.as_row(reading.run)])
    reading.report.comparisons.append(found)
    differences = f"missing {found.missing}, ghost {found.ghost}, stale {found.stale}"
    verdict = f"reconciled, {found.status}: {found.source_rows} rows compared, {differences}"
    reading.say(f"  {reading.run.organisation_id} {endpoint.table}: {verdict}{f' ({found.reason})' if found.reason else ''}")
    return found


def failed_endpoint(endpoint: Endpoint, reading: Reading, kind: str, error: Exception) -> EndpointReport:
    """Write that an endpoint could not be read."""
    done = EndpointReport(endpoint.table, reading.run.organisation_id, kind, "failed", f"{type(error).__name__}: {error}")
    row = sync.endpoint_run(done, reading.run)
    reading.warehouse.replace("endpoint_runs", [row], reading.key | {"endpoint": endpoint.table, "kind": kind})
    return done


def write_sites(warehouse: Warehouse, sources: Sequence[Source]) -> None:
    """Rewrite ops.sites and ops.kpi_targets from sites.toml and the API, so that models read them like any table."""
    rows, targets = [], []
    for organisation in (source.organisation for source in sources):
        for site in organisation.sites:
            rows.append(
                {
                    "organisation_id": organisation.organisation_id, "organisation_name": organisation.name, "site_id": site.site_id,
                    "site_name": site.name, "root_location_id": site.root_location_id, "time_zone": site.time_zone,
                    "organisation_time_zone": organisation.time_zone, "currency": organisation.currency,
                    "crew_hours_per_week": site.crew_hours_per_week, "is_unassigned": site.is_unassigned,
                }
            )  # fmt: skip
            targets += [
                {"organisation_id": organisation.organisation_id, "site_id": site.site_id, "kpi": kpi, "target": target}
                for kpi, target in sorted(site.targets.items())
            ]
    warehouse.replace("sites", rows, {})
    warehouse.replace("kpi_targets", targets, {})


def publish_all(settings: Settings, warehouse: DuckDBWarehouse, report: RefreshReport, say: Say) -> None:
    """Build the models as of the last finished run and publish them."""
    report.known_at = last_known_at(warehouse)
    if report.known_at is None:
        raise NothingReadable("; ".join(f"organisation {one}: {why}" for one, why in report.failed.items()) or "no organisation was read")
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


def new_run_id() -> str:
    """Return an id for a run: the local time, for people, and a random tail."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def said(done: EndpointReport) -> str:
    """Return one line for the console about one endpoint."""
    counts = done.counts
    if done.status != "ok":
        return f"  {done.organisation_id} {done.endpoint}: {done.status}: {done.reason}"
    parts = [f"{counts.fetched} read", f"{counts.inserted} new", f"{counts.updated} changed"]
    parts += [f"{counts.deleted} deleted"] if counts.deleted else []
    parts += [f"{counts.quarantined} in quarantine"] if counts.quarantined else []
    return f"  {done.organisation_id} {done.endpoint}: {', '.join(parts)} ({done.requests} requests, {done.seconds:.1f} s)"


def _say_batch(reading: Reading, now: EndpointReport) -> None:
    reading.say(f"  {now.organisation_id} {now.endpoint}: {now.counts.fetched} read so far ({now.requests} requests)")


def _readable(asker: Source, is_required: bool) -> dict[int, dict]:
    """Return the organisations that a token may read, by id; none when it cannot tell."""
    try:
        with asker.connect() as client:
            return {record["id"]: record for record in maintainx.organisations(client)}
    except (MaintainXError, MissingToken) as error:
        if is_required:
            raise
        asker.say(f"the organisations of {asker.organisation.token_variable} cannot be listed: {error}")
        return {}


def _unnamed(asker: Source) -> Organisation:
    """Return the one organisation of a token that may not list any: its id stands in its records.

    Raises:
        ProtocolError: it has neither orders, assets nor locations yet, so nothing tells its id.
    """
    with asker.connect() as client:
        for path, items, params in (
            ("/workorders", "workOrders", [("show_upcoming", "true")]),
            ("/assets", "assets", []),
            ("/locations", "locations", []),
        ):
            page = client.page(path, items, [*params, ("limit", "1")])
            if owners := [owner for raw in page.records if (owner := owner_of(raw))]:
                return replace(asker.organisation, organisation_id=owners[0])
    message = "MaintainX does not list the token's organisations, and no record tells which one it is: name it in sites.toml (SITES_FILE)"
    raise ProtocolError(message, path="/organizations")

"""One organisation's part of a run: its rows in ops.runs, and from when on the versions it read count."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from dagster_project.comparison import Comparison
from dagster_project.failpoint import failpoint
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.organisations import Source
from dagster_project.publish import Published
from dagster_project.settings import MissingToken
from dagster_project.visit import EndpointReport, Run
from dagster_project.warehouse.base import Warehouse

LARGEST_SKEW = timedelta(hours=1)  # between two clocks of the source
DATED = {"endpoint_runs": ["read_at"], "reconciliation": ["reconciled_at"], "runs": ["finished_at", "known_from"]}  # by the source's clock


@dataclass(slots=True)
class RefreshReport:
    """What a refresh did."""

    run_id: str
    endpoints: list[EndpointReport] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)  # organisation → why
    published: Published | None = None
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
class OrganisationRun:
    """One organisation's part of a run, while it goes on."""

    source: Source
    client: MaintainX
    warehouse: Warehouse
    run: Run
    report: RefreshReport

    @property
    def key(self) -> dict:
        """Return what names this part of the run in the tables of ops."""
        return {"run_id": self.run.run_id, "organisation_id": self.run.organisation_id}

    def say(self, text: str) -> None:
        """Tell whoever watches."""
        self.source.say(text)

    def accepting(self, tables: Sequence[str]) -> "OrganisationRun":
        """Return this part of the run with the breakers of these endpoints overridden, and write who is let through to ops.audit."""
        what = {"action": "accept", "detail": "breakers of this endpoint are overridden in this run", "audited_at": self.run.now}
        self.warehouse.insert("audit", [self.key | what | {"endpoint": table} for table in sorted(tables)])
        return replace(self, run=replace(self.run, accepted=self.run.accepted | frozenset(tables)))


def part_of(source: Source, client: MaintainX, warehouse: Warehouse, report: RefreshReport, now: datetime | None = None) -> OrganisationRun:
    """Return an organisation's part of a run; its instant is the source's clock unless it began before."""
    run = Run(report.run_id, source.organisation_id, now or client.now(), source.settings.keep_personal_data)
    return OrganisationRun(source, client, warehouse, run, report)


def run_organisation(  # noqa: PLR0917
    source: Source,
    warehouse: Warehouse,
    report: RefreshReport,
    kind: str,
    work: Callable[[OrganisationRun], None],
    accepted: Sequence[str] = (),
) -> None:
    """Do `work` as one organisation's part of a run; its row in ops.runs is written before and after.

    What the source or the token refuses ends up in `report.failed`, not in the caller: the other organisations go on.
    """
    started = datetime.now(UTC)
    key = {"run_id": report.run_id, "organisation_id": source.organisation_id}
    row = key | {"status": "failed", "kind": kind, "wall_started_at": started}
    try:
        with source.connect() as client, warehouse.frugal():
            part = part_of(source, client, warehouse, report)
            row |= {"started_at": part.run.now}
            begin(part, kind, started)
            work(part.accepting(accepted))
            finish(part, kind, started)
    except (MaintainXError, MissingToken) as error:
        report.failed[source.organisation_id] = why = f"{type(error).__name__}: {error}"
        warehouse.replace("runs", [row | {"wall_finished_at": datetime.now(UTC), "error": why}], key)


def begin(part: OrganisationRun, kind: str, started: datetime) -> None:
    """Write that the run has begun; its instant is the source's clock."""
    row = {"kind": kind, "status": "running", "started_at": part.run.now, "wall_started_at": started}
    part.warehouse.replace("runs", [part.key | row], part.key)
    failpoint("run.begun")
    set_right(part)


def set_right(part: OrganisationRun) -> None:
    """Date runs that lie in the source's future by this run's instant: one absurd clock must not stop the figures for years.

    Only when a second answer of the source agrees with the first: an absurd one may lie in the past as well.
    """
    ahead = "select run_id, known_from from ops.runs where organisation_id = ? and known_from > ? order by known_from"
    runs = part.warehouse.query(ahead, [part.run.organisation_id, part.run.now + LARGEST_SKEW]).rows()
    if not runs:
        return
    with part.source.connect() as fresh:
        if abs(fresh.now() - part.run.now) > LARGEST_SKEW:
            return
    for run_id, known_from in runs:
        said = f"the source's clock was in the future at run {run_id}: what it read is known since {part.run.now}, not {known_from}"
        part.say(f"  {part.run.organisation_id} {said}")
        about = {"action": "clock_set_right", "detail": said, "audited_at": part.run.now}
        part.warehouse.insert("audit", [part.key | about])
        for table, columns in DATED.items():
            _date_back(part, table, run_id, columns)


def _date_back(part: OrganisationRun, table: str, run_id: str, columns: Sequence[str]) -> None:
    key = part.key | {"run_id": run_id}
    rows = part.warehouse.query(f"select * from ops.{table} where run_id = ? and organisation_id = ?", list(key.values())).to_dicts()
    back = [row | {name: min(row[name], part.run.now) for name in columns if row[name]} for row in rows]
    part.warehouse.replace(table, back, key)


def finish(part: OrganisationRun, kind: str, started: datetime) -> None:
    """Write how the run ended. From a finished run on its versions count, and those of earlier runs that never finished."""
    why = failures(part)
    failpoint("run.before_finish")
    with part.source.connect() as fresh:
        finished_at = plausible(fresh.now(), part.run.now, datetime.now(UTC) - started)
    row = {
        "kind": kind, "status": "failed" if why else "finished", "started_at": part.run.now, "finished_at": finished_at,
        "known_from": None if why else finished_at, "wall_started_at": started, "wall_finished_at": datetime.now(UTC),
        "requests": part.client.requests + 1, "error": why or failures(part, "stale"),
    }  # fmt: skip
    part.warehouse.replace("runs", [part.key | row], part.key)
    failpoint("run.finished")
    if why:
        part.report.failed[part.run.organisation_id] = why
    else:
        supersede(part, finished_at)


def plausible(finished_at: datetime, started_at: datetime, took: timedelta) -> datetime:
    """Return the end of a run by the source's clock; one absurd answer must not date what is known for ever."""
    return min(max(finished_at, started_at), started_at + took + LARGEST_SKEW)


def supersede(part: OrganisationRun, finished_at: datetime) -> None:
    """Let the versions of earlier runs that never finished count from now on: this run has read past them."""
    rows = part.warehouse.query(
        "select * from ops.runs where organisation_id = ? and known_from is null and run_id <> ?",
        [part.run.organisation_id, part.run.run_id],
    ).to_dicts()
    for row in rows:
        status = "superseded" if row["status"] == "running" else row["status"]
        part.warehouse.replace("runs", [row | {"known_from": finished_at, "status": status}], part.key | {"run_id": row["run_id"]})
        failpoint("run.superseded")


def failures(part: OrganisationRun, status: str = "failed") -> str | None:
    """Return which endpoints of this run failed and why, None when none did; or those of another status."""
    rows = part.warehouse.query(
        "select endpoint, reason from ops.endpoint_runs where run_id = ? and organisation_id = ? and status = ? order by 1",
        [*part.key.values(), status],
    ).rows()
    return "; ".join(f"{endpoint}: {reason}" for endpoint, reason in rows) or None


def new_run_id() -> str:
    """Return an id for a run: the local time, for people, and a random tail."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"

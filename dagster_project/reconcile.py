"""Compare the source's ids, content and sums with the log, and heal what differs by the same reading.

A reading in the endpoint's shape is at once the comparison and the cure: whatever differs is appended as a version.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from dagster_project import walk
from dagster_project.failpoint import failpoint
from dagster_project.frames.flatten import Version
from dagster_project.ingest import Intake, labour_and_cost, updated_at
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Endpoint, Walk
from dagster_project.sync import EndpointReport, Run, Visit, batches
from dagster_project.warehouse.base import Commit, Latest, State, Warehouse

LIVE_STATUSES = ("OPEN", "IN_PROGRESS", "ON_HOLD")
RECENT_DAYS = 30
HISTORY_PARTS = 30  # one a day: all of history in a month; a missed night only moves it
EVERY = timedelta(hours=23)  # nightly, with room for a run that starts a little early


@dataclass(slots=True)
class Comparison:
    """What one reconciliation of one endpoint found before it healed; a row of ops.reconciliation."""

    scope: str
    source_rows: int = 0
    raw_rows: int = 0
    missing: int = 0
    ghost: int = 0
    stale: int = 0
    healed: int = 0
    deleted: int = 0
    source_labour_seconds: int | None = None
    raw_labour_seconds: int | None = None
    source_cost_cents: int | None = None
    raw_cost_cents: int | None = None
    status: str = "matched"
    reason: str | None = None
    report: EndpointReport | None = field(default=None, repr=False)

    def as_row(self, run: Run) -> dict:
        """Return the row of ops.reconciliation."""
        names = [name for name in self.__dataclass_fields__ if name != "report"]
        return {
            "run_id": run.run_id,
            "organisation_id": run.organisation_id,
            "endpoint": self.report.endpoint if self.report else None,
            "reconciled_at": run.now,
            "requests": self.report.requests if self.report else None,
            **{name: getattr(self, name) for name in names},
        }


@dataclass(slots=True)
class Sums:
    """Rows and sums of one side."""

    rows: int = 0
    labour: int = 0
    cost: int = 0

    def add(self, labour: int | None, cost: int | None) -> None:
        """Count one row."""
        self.rows, self.labour, self.cost = self.rows + 1, self.labour + (labour or 0), self.cost + (cost or 0)


def reconcile(endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, is_full: bool = False) -> Comparison:
    """Read the source, compare it with the log, heal the log, and write the row of ops.reconciliation.

    Rolling (the default, for work orders): what is open, what changed in the last 30 days, and one thirtieth of history
    by createdAt. All else is read whole. Rows that changed since the last sync are no difference. Costs one request for
    200 records and one for each absentee.

    Raises:
        MaintainXError: the source failed; what was healed stays.
        Breaker: too many known rows are absent; nothing was deleted.
    """
    visit = Visit(endpoint, source, warehouse, run)
    visit.report.kind = "reconcile"
    found = Reconciliation(visit, is_full)
    visit.unless_missing(found.compare)
    visit.finish()
    if visit.report.status == "ok":
        warehouse.replace("reconciliation", [found.result.as_row(run)], {"run_id": run.run_id, "organisation_id": run.organisation_id,
                                                                         "endpoint": endpoint.table})  # fmt: skip
    return found.result


def first_load(report: EndpointReport, warehouse: Warehouse, run: Run) -> Comparison:
    """Write that a complete first load counts as a reconciliation: what was read is what the log holds."""
    raw_rows = warehouse.live(report.endpoint, run.organisation_id).height
    found = Comparison("first_load", report.distinct_rows, raw_rows, report=report)
    if found.source_rows != raw_rows:
        found.status, found.reason = "differs", f"{found.source_rows} records were read, {raw_rows} are in the log"
    warehouse.replace("reconciliation", [found.as_row(run)], {"run_id": run.run_id, "organisation_id": run.organisation_id,
                                                              "endpoint": report.endpoint})  # fmt: skip
    return found


def is_due(endpoint: Endpoint, warehouse: Warehouse, run: Run) -> bool:
    """Return whether the endpoint's last finished reconciliation is older than a day, by the source's clock."""
    rows = warehouse.query(
        "select max(reconciled_at) as last from ops.reconciliation where organisation_id = ? and endpoint = ? and status <> 'failed'",
        [run.organisation_id, endpoint.table],
    )
    last = rows["last"].item()
    return last is None or run.now - last >= EVERY


class Reconciliation:
    """The comparison of one endpoint of one organisation."""

    def __init__(self, visit: Visit, is_full: bool):
        self.visit, self.endpoint, self.now = visit, visit.endpoint, visit.run.now
        self.is_rolling = self.endpoint.table == "work_orders" and not is_full
        self.result = Comparison("rolling" if self.is_rolling else "full", report=visit.report)
        self.known = visit.warehouse.live(self.endpoint.table, visit.run.organisation_id)
        self.source, self.raw = Sums(), Sums()
        self.compared: set[int] = set()
        self.part = self.next_part() if self.is_rolling else (None, None)

    def compare(self) -> None:
        """Read, compare, heal."""
        for pages in batches(self.pages()):
            self.tally(self.visit.store(pages))
        self.absentees()
        if self.is_rolling:
            self.visit.warehouse.commit(Commit(self.endpoint.table, states=[replace(self.boundary, watermark=self.part[1])]))
            failpoint("reconcile.part_done")
        self.conclude()

    def pages(self) -> Iterator[Page]:
        """Yield the pages that make up the scope."""
        visit = self.visit
        if self.endpoint.walk is not Walk.ANCHORED:
            yield from visit.list.every()
        elif not self.is_rolling:
            yield from walk.anchored(visit.list.one, visit.list.all, "createdAt", None)
        else:
            yield from self.anchored_where([("statuses", status) for status in LIVE_STATUSES], "createdAt", None)
            yield from self.anchored_where([], "updatedAt", self.recent_from)
            since, until = self.part
            yield from self.anchored_where([], "createdAt", since, until)

    def anchored_where(
        self, where: list[tuple[str, str]], field: str, since: datetime | None, until: datetime | None = None
    ) -> Iterator[Page]:
        """Yield the rows of one walk whose every request also carries `where`."""
        visit = self.visit
        return walk.anchored(
            lambda params: visit.list.one([*where, *params]),
            lambda params: visit.list.all([*where, *params]),
            field,
            since,
            until,
        )

    @property
    def recent_from(self) -> datetime:
        """Return since when a change is read again every day."""
        return self.now - timedelta(days=RECENT_DAYS)

    @property
    def boundary(self) -> State:
        """Return how far, by createdAt, the rolling comparison of history has come; no watermark: it starts over."""
        run, name = self.visit.run, f"{self.endpoint.table}/history"
        return self.visit.warehouse.states(run.organisation_id, name).get("") or State(run.organisation_id, name)

    def next_part(self) -> tuple[datetime | None, datetime | None]:
        """Return the next part of history by createdAt, each beginning where the last one ended; the ends are open."""
        oldest = self.known["created_at"].min() if self.known.height else None
        if not isinstance(oldest, datetime) or oldest >= self.now:
            return None, None
        since = self.boundary.watermark
        until = max(since or oldest, oldest) + (self.now - oldest) / HISTORY_PARTS
        return since, until if until < self.now else None

    def tally(self, intake: Intake) -> None:
        """Compare one stored batch with what the log held before it."""
        changed = {version.id: version for version in intake.versions}
        for record_id in intake.gone_ids - self.compared:
            self._count_gone(intake.known.get(record_id))
        for record_id in intake.seen_ids - intake.refused_ids - intake.gone_ids - self.compared:
            version, before = changed.get(record_id), intake.known.get(record_id)
            if version is not None and self.is_fresh(version):
                continue
            self._count(version, before)
        self.compared |= intake.seen_ids

    def is_fresh(self, version: Version) -> bool:
        """Return whether the row changed after the last sync read this endpoint: no difference, only news."""
        stamp, watermark = updated_at(version), self.visit.main.watermark
        return stamp is not None and watermark is not None and stamp > watermark

    def _count(self, version: Version | None, before: Latest | None) -> None:
        is_known = before is not None and not before.is_deleted
        if before is not None and is_known:
            self.raw.add(before.labour_seconds, before.cost_cents)
        if version is None:
            if before is not None:
                self.source.add(before.labour_seconds, before.cost_cents)
            return
        self.source.add(*labour_and_cost(version.record))
        self.result.stale += is_known and version.cause != "shape"
        self.result.missing += not is_known
        self.result.healed += version.cause != "shape"

    def _count_gone(self, before: Latest | None) -> None:
        """Count a row that the list itself shows as deleted."""
        if before is not None and not before.is_deleted:
            self.raw.add(before.labour_seconds, before.cost_cents)
            self._count_buried(1)

    def _count_buried(self, number: int) -> None:
        self.result.ghost += number
        self.result.deleted += number
        self.result.healed += number

    def absentees(self) -> None:
        """Ask for each known record of the scope that was not shown: bury it, or read it again."""
        expected = self.expected()
        absent = self.visit.absent_of(set(expected["id"].to_list()), self.visit.seen)
        gone = self.visit.bury(absent)
        self._count_buried(len(gone))
        self.read_again(expected.filter(pl.col("id").is_in(absent) & ~pl.col("id").is_in(gone)))
        for row in expected.filter(pl.col("id").is_in(absent) & ~pl.col("id").is_in(list(self.compared))).iter_rows(named=True):
            self.raw.add(row["labour_seconds"], row["cost_cents"])

    def expected(self) -> pl.DataFrame:
        """Return the live records of the log that a complete reading of the scope must show."""
        if not self.is_rolling:
            return self.known
        since, until = self.part
        in_part = pl.lit(value=True)
        if since:
            in_part &= pl.col("created_at") >= since
        if until:
            in_part &= pl.col("created_at") <= until
        return self.known.filter(pl.col("status").is_in(LIVE_STATUSES) | (pl.col("updated_at") >= self.recent_from) | in_part)

    def read_again(self, moved: pl.DataFrame) -> None:
        """Read records that exist but were not shown where they should be, through their list; note those that stay hidden."""
        if not moved.height:
            return
        if self.endpoint.walk is Walk.ANCHORED:
            for created_at in moved["created_at"].drop_nulls().unique().sort():
                bounds = [("createdAt[gte]", walk.iso(created_at)), ("createdAt[lte]", walk.iso_up(created_at))]
                self.tally(self.visit.store(list(self.visit.list.all(bounds))))
        else:  # a deletion between two pages may have pushed them out of sight
            for pages in batches(self.visit.list.every()):
                self.tally(self.visit.store(pages))
        if hidden := [record_id for record_id in moved["id"] if record_id not in self.visit.seen]:
            self.result.status = "differs"
            more = f" (and {len(hidden) - 1} more)" if hidden[1:] else ""
            self.result.reason = f"record {hidden[0]} exists by its id, but no list shows it{more}"

    def conclude(self) -> None:
        """Fill in the sums and the verdict."""
        found = self.result
        found.source_rows, found.raw_rows = self.source.rows, self.raw.rows
        if self.endpoint.table == "work_orders":
            found.source_labour_seconds, found.raw_labour_seconds = self.source.labour, self.raw.labour
            found.source_cost_cents, found.raw_cost_cents = self.source.cost, self.raw.cost
        if found.status == "matched" and found.missing + found.ghost + found.stale:
            found.status = "healed"

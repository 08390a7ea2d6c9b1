"""Compare the source's ids, content and sums with the log, and heal what differs by the same reading.

A reading in the endpoint's shape is at once the comparison and the cure: whatever differs is appended as a version.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from dagster_project import labour, rolling
from dagster_project.breakers import Breaker
from dagster_project.comparison import Comparison, Sums, write
from dagster_project.failpoint import failpoint
from dagster_project.frames.flatten import Version
from dagster_project.generation import Generation, Sweep
from dagster_project.ingest import Intake, labour_and_cost, updated_at
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Absence, Endpoint, Walk
from dagster_project.recheck import by_creation
from dagster_project.visit import EndpointReport, Run, batches
from dagster_project.walk import NotAsAsked
from dagster_project.warehouse.base import Commit, Latest, State, Warehouse

LEAST_ASKED = 100  # absent records in one comparison, however few requests are left
REQUESTS = 1_440  # a day, where nobody says: 1 % of what 100 requests a minute allow


def reconcile(  # noqa: PLR0917
    endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, is_full: bool = False, requests_a_day: int = REQUESTS
) -> Comparison:
    """Read the source, compare it with the log, heal the log, and write the row of ops.reconciliation.

    Everything is read when that is asked for, or costs no more than the day's requests; else, of work orders, what is
    open, what changed in the last 30 days, and as much of history by createdAt as the rest of the requests pays for.
    Rows that changed since the last sync are no difference. Costs one request for 200 records and one for each absentee.

    Raises:
        MaintainXError: the source failed; what was healed stays, and a full sweep goes on from there.
        Breaker: too many known rows are absent; nothing was deleted.
    """
    visit = Sweep(endpoint, source, warehouse, run)
    visit.report.kind = "reconcile"
    found = Reconciliation(visit, is_full, requests_a_day)
    visit.unless_missing(found.compare)
    visit.finish()
    if visit.report.status == "ok":
        write(found.result, warehouse, run)
    return found.result


def first_load(report: EndpointReport, warehouse: Warehouse, run: Run) -> Comparison:
    """Write that a complete first load counts as a reconciliation: what was read is what the log holds."""
    raw_rows = warehouse.live(report.endpoint, run.organisation_id).height
    found = Comparison("first_load", report.distinct_rows, raw_rows, source_ids=report.distinct_rows, live_rows=raw_rows, report=report)
    if found.source_rows != raw_rows:
        found.status, found.reason = "differs", f"{found.source_rows} records were read, {raw_rows} are in the log"
    write(found, warehouse, run)
    return found


def is_due(endpoint: Endpoint, warehouse: Warehouse, run: Run) -> bool:
    """Return whether the endpoint's last finished reconciliation is older than a day, by the source's clock."""
    rows = warehouse.query(
        "select max(reconciled_at) as last from ops.reconciliation where organisation_id = ? and endpoint = ? and status <> 'failed'",
        [run.organisation_id, endpoint.table],
    )
    last = rows["last"].item()
    return last is None or not timedelta(0) <= run.now - last < rolling.A_DAY


class Reconciliation:
    """The comparison of one endpoint of one organisation."""

    def __init__(self, visit: Sweep, is_full: bool, requests_a_day: int):
        self.visit, self.endpoint, self.now = visit, visit.endpoint, visit.run.now
        self.known = visit.warehouse.live(self.endpoint.table, visit.run.organisation_id)
        visit.stored = set(self.known["id"].to_list())
        self.left = None if is_full else requests_a_day - rolling.spent(visit.warehouse, visit.run.organisation_id, self.now)
        self.plan = self.planned(self.left) if self.endpoint.table == labour.TABLE and self.left is not None else None
        self.result = Comparison("rolling" if self.plan else "full", report=visit.report)
        self.generation = self.numbered() if self.endpoint.walk is Walk.ANCHORED and not self.plan else None
        self.source, self.raw = Sums(), Sums()
        self.compared: set[int] = set()
        self.unasked: set[int] = set()  # absent, and left to the next comparison

    def planned(self, left: int) -> rolling.Plan | None:
        """Return what is left of today's requests pays for; None when that is everything."""
        visit = self.visit
        plan = rolling.plan(self.known, self.now, self.boundary.watermark, left, visit.source.capabilities.largest_page)
        return None if plan.is_whole else plan

    def numbered(self) -> Generation:
        """Return the sweep to go on with, or a new one."""
        generation = self.visit.generation = Generation.open(self.visit.warehouse, self.endpoint.table, self.visit.run)
        self.visit.seen |= generation.seen
        self.visit.shown |= generation.seen & self.visit.stored
        self.result.generation = generation.number
        if generation.seen:
            began_at = f"{generation.began_at:%Y-%m-%d %H:%M} UTC"
            self.result.reason = f"went on with the sweep begun at {began_at}, after {len(generation.seen)} records"
        return generation

    def compare(self) -> None:
        """Read, compare, heal."""
        try:
            self.read()
            self.absentees()
        except Breaker:
            self.give_up()  # what it has seen is in doubt
            raise
        if self.plan:
            boundary = replace(self.boundary, watermark=self.plan.until)
            self.visit.warehouse.commit(Commit(self.endpoint.table, states=[boundary]))
            failpoint("reconcile.part_done")
        self.conclude()
        if self.generation:
            self.generation.end()
            failpoint("reconcile.generation_done")

    def read(self) -> None:
        """Read and heal the scope; the whole list, when the source does not do what a walk needs."""
        try:
            self.take(self.pages())
        except NotAsAsked as error:
            self.visit.distrust, self.plan, self.result.scope = error, None, "full"
            self.give_up()
            self.take(self.visit.list.every())

    def take(self, pages: Iterator[Page]) -> None:
        """Store pages and compare what they showed with what the log held before."""
        for batch in batches(pages, self.visit.warehouse.batch):
            self.tally(self.visit.store(batch))
            failpoint("reconcile.batch_done")

    def give_up(self) -> None:
        """End a numbered sweep without a verdict."""
        if self.generation:
            self.generation.end()
            self.generation = self.visit.generation = self.result.generation = None

    def pages(self) -> Iterator[Page]:
        """Yield the pages that make up the scope."""
        visit = self.visit
        if self.generation:
            yield from labour.anchored(visit, [], "createdAt", self.generation.reached)
        elif self.plan:
            yield from labour.at_work(visit)
            yield from labour.anchored(visit, [], "updatedAt", self.recent_from)
            yield from labour.anchored(visit, [], "createdAt", self.plan.since, self.plan.until)
        else:
            yield from visit.list.every()

    @property
    def recent_from(self) -> datetime:
        """Return since when a change is read again every day."""
        return self.now - timedelta(days=rolling.RECENT_DAYS)

    @property
    def boundary(self) -> State:
        """Return how far, by createdAt, the rolling comparison of history has come; no watermark: it starts over."""
        run, name = self.visit.run, f"{self.endpoint.table}/history"
        return self.visit.warehouse.states(run.organisation_id, name).get("") or State(run.organisation_id, name)

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

    def is_late(self, version: Version, before: Latest | None) -> bool:
        """Return whether the record moved its stamp to an instant that every sync has already read past."""
        stamp, watermark = updated_at(version), self.visit.main.watermark
        is_news = stamp is not None and (before is None or before.updated_at is None or stamp > before.updated_at)
        return is_news and watermark is not None and stamp < watermark - self.endpoint.overlap

    def _count(self, version: Version | None, before: Latest | None) -> None:
        is_known = before is not None and not before.is_deleted
        if before is not None and is_known:
            self.raw.add(before.labour_seconds, before.cost_cents)
        if version is None:
            if before is not None:
                self.source.add(before.labour_seconds, before.cost_cents)
            return
        self.source.add(*labour_and_cost(version.record))
        self.result.late_rows += self.is_late(version, before)
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
        expected = self.expected(self.known)
        absent = self.visit.absent_of(set(expected["id"].to_list()), self.visit.seen)
        absent, self.unasked = self.affordable(absent)
        gone = self.visit.bury(absent)
        self._count_buried(len(gone))
        self.read_again(expected.filter(pl.col("id").is_in(absent) & ~pl.col("id").is_in(gone)))
        left = (set(absent) | self.visit.hidden.resting) - self.compared
        for row in expected.filter(pl.col("id").is_in(list(left))).iter_rows(named=True):
            self.raw.add(row["labour_seconds"], row["cost_cents"])

    def affordable(self, absent: list[int]) -> tuple[list[int], set[int]]:
        """Return which of the absent today's requests are enough to ask for, and which are left to the next comparison."""
        if self.left is None or self.endpoint.absence is not Absence.GET or self.endpoint.table in self.visit.run.accepted:
            return absent, set()
        most = max(LEAST_ASKED, self.left - self.visit.report.requests)
        return absent[:most], set(absent[most:])

    def expected(self, live: pl.DataFrame) -> pl.DataFrame:
        """Return those of the log's live records that a complete reading of the scope must show."""
        if not self.plan:
            return live
        in_part = pl.lit(value=True)
        if self.plan.since:
            in_part &= pl.col("created_at") >= self.plan.since
        if self.plan.until:
            in_part &= pl.col("created_at") <= self.plan.until
        return live.filter(pl.col("status").is_in(labour.LIVE_STATUSES) | (pl.col("updated_at") >= self.recent_from) | in_part)

    def read_again(self, moved: pl.DataFrame) -> None:
        """Read records that exist but were not shown where they should be, through their list."""
        if not moved.height:
            return
        if self.endpoint.walk is Walk.ANCHORED and not self.visit.distrust:
            self.take(by_creation(self.visit.list, moved["created_at"].drop_nulls().unique().sort().to_list()))
        else:  # a deletion between two pages may have pushed them out of sight
            self.take(self.visit.list.every())

    def conclude(self) -> None:
        """Fill in the sums and the verdict."""
        found = self.result
        found.source_rows, found.raw_rows = self.source.rows, self.raw.rows
        if self.endpoint.table == labour.TABLE:
            found.source_labour_seconds, found.raw_labour_seconds = self.source.labour, self.raw.labour
            found.source_cost_cents, found.raw_cost_cents = self.source.cost, self.raw.cost
        unequal = self.unequal()
        if unequal:
            found.status = "differs"
        elif found.missing + found.ghost + found.stale:
            found.status = "healed"
        late = self.late() if found.late_rows else None
        remarks = [unequal, late, self.plan.shortfall if self.plan else None, found.reason]
        found.reason = "; ".join(remark for remark in remarks if remark) or None

    def unequal(self) -> str | None:
        """Count both sides once healed, and return in words where they are not the same records; None when they are."""
        live = self.visit.warehouse.live(self.endpoint.table, self.visit.run.organisation_id)
        shown, held, expected = self.visit.shown, set(live["id"].to_list()), set(self.expected(live)["id"].to_list())
        self.result.source_ids, self.result.live_rows = len(shown), len(held & (shown | expected))
        unanswered = self.visit.list.unanswered.keys()
        hidden, lost = expected - shown - self.unasked - unanswered, shown - held
        asked_later = f"{len(self.unasked)} absent records are asked for in the next comparison: today's requests are spent"
        return (
            _named(lost, "was read and is not in the log")
            or _named(hidden, "exists by its id, but no list shows it")
            or self.visit.list.silence
            or (asked_later if self.unasked else None)
        )

    def late(self) -> str:
        """Return in words that the overlap is too short."""
        hours, table = self.endpoint.overlap / timedelta(hours=1), self.endpoint.table
        what = f"{self.result.late_rows} records came to light after every sync had read past their updatedAt"
        return f"{what}: the overlap of {table}, {hours:g} hours, is too short; raise it in endpoints.py"


def _named(ids: set[int], what: str) -> str | None:
    more = f" (and {len(ids) - 1} more)" if len(ids) > 1 else ""
    return f"record {min(ids)} {what}{more}" if ids else None

"""One reading of one endpoint: its batches, its state, its report; what is read in which order is said elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial

import polars as pl

from dagster_project import absence, breakers
from dagster_project.breakers import Breaker
from dagster_project.failpoint import failpoint
from dagster_project.frames import records
from dagster_project.hidden import Hidden
from dagster_project.ingest import Counts, Intake, Reading, take
from dagster_project.listing import Listing
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Absence, Endpoint
from dagster_project.maintainx.errors import Forbidden, MaintainXError, NotFound
from dagster_project.recheck import read_again
from dagster_project.walk import NotAsAsked
from dagster_project.warehouse.base import BatchSize, Commit, State, Tombstone, Warehouse
from dagster_project.warehouse.tables import OPS

PROGRESS_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Run:
    """One organisation's part of a run."""

    run_id: str
    organisation_id: int
    now: datetime  # the source's clock at its start
    keep_personal: bool = False
    accepted: frozenset[str] = frozenset()  # endpoints whose breakers are overridden, once


@dataclass(slots=True)
class EndpointReport:
    """What one reading of one endpoint did; a row of ops.endpoint_runs."""

    endpoint: str
    organisation_id: int
    kind: str = "sync"
    status: str = "ok"
    reason: str | None = None
    counts: Counts = field(default_factory=Counts)
    requests: int = 0
    seconds: float = 0.0
    watermark_from: datetime | None = None
    watermark_to: datetime | None = None
    is_first_load: bool = False
    distinct_rows: int = 0  # the source's live records that the contract accepted


Progress = Callable[[EndpointReport], None]  # called after each 5,000 rows


def nothing(_: object) -> None:
    """Ignore progress."""


class Visit:
    """One reading of one endpoint: its batches, its state, its report."""

    def __init__(self, endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, progress: Progress = nothing):
        self.endpoint, self.source, self.warehouse, self.run, self.progress = endpoint, source, warehouse, run, progress
        self.report = EndpointReport(endpoint.table, run.organisation_id)
        self.states = warehouse.states(run.organisation_id, endpoint.table)
        self.main = self.states.get("") or State(run.organisation_id, endpoint.table)
        self.list = Listing(endpoint, source, run.organisation_id, (self.main.expands,) if self.main.expands else ())
        self.report.watermark_from = self.report.watermark_to = self.main.watermark
        self.seen: set[int] = set()
        self.accepted: set[int] = set()  # of those seen: the log has them live
        self.buried: set[int] = set()
        self.excused = 0  # refused records that somebody had given up
        self.distrust: NotAsAsked | None = None  # the list does not sort or filter as asked: its rows are taken as they come
        self._hidden: Hidden | None = None
        self._started, self._requests = time.monotonic(), source.requests

    @property
    def name(self) -> str:
        """Return the endpoint and its organisation, for messages."""
        return f"{self.endpoint.table} of organisation {self.run.organisation_id}"

    def unless_missing(self, read: Callable[[], None]) -> None:
        """Call `read`; an optional endpoint whose very first answer is 403 or 404 is not in the plan, and is skipped.

        When it was read before, it is stale: its right is lost, or the plan has changed.
        """
        try:
            read()
        except (Forbidden, NotFound) as error:
            if self.endpoint.is_required or self.list.pages_read:
                raise
            self.report.status, self.report.reason = "skipped", f"{type(error).__name__}: {error}"
            if self.known_ids():
                self.report.status = "stale"
                self.report.reason += "; what it gave before stands as it was then: check the role of the token's user"

    def store(self, pages: Sequence[Page], moves_watermark: bool = False, states: Sequence[State] = ()) -> Intake:
        """Commit one batch with its counts, its quarantine and its states; trip the breaker before anything is stored.

        A row that says less than the log is read again through its list first, and that answer is taken.
        """
        again = None if self.distrust else partial(read_again, self.list, self.warehouse)
        intake = take(self.reading, [raw for page in pages for raw in page.records], self.warehouse, again)
        said_rows = self.report.counts.fetched
        self.report.counts.add(intake.counts)
        self.check_quarantine(intake)
        if moves_watermark:
            watermark = latest_of(self.main.watermark, self.capped(intake.largest_updated_at))
            self.main = replace(self.main, watermark=watermark, run_id=self.run.run_id)
            self.report.watermark_to = self.main.watermark
        intake.commit.states = [*states, *([self.main] if moves_watermark else ())]
        self.enrich(intake)
        failpoint("sync.before_batch")
        self.warehouse.commit(intake.commit)
        failpoint("sync.after_batch")
        self.seen |= intake.seen_ids
        self.list.settle(intake.seen_ids)
        self.accepted |= intake.seen_ids
        self.accepted -= intake.refused_ids | intake.gone_ids
        self.report.requests = self.source.requests - self._requests
        if self.report.counts.fetched // PROGRESS_ROWS > said_rows // PROGRESS_ROWS:
            self.progress(self.report)
        return intake

    @property
    def reading(self) -> Reading:
        """Return what the rows of the next batch have in common."""
        run = self.run
        return Reading(self.endpoint, self.list.expands, run.organisation_id, run.run_id, run.now, run.keep_personal)

    def enrich(self, intake: Intake) -> None:
        """Add to a batch what else belongs into its transaction; a sweep notes the ids it has met."""

    def capped(self, stamp: datetime | None) -> datetime | None:
        """Return a stamp no later than the run: one from the future must not carry the watermark past what is to come."""
        return min(stamp, self.run.now) if stamp else None

    def save(self, state: State) -> None:
        """Store the endpoint's main state."""
        self.main = state
        self.report.watermark_to = state.watermark
        self.warehouse.commit(Commit(self.endpoint.table, states=[state]))
        failpoint("sync.state_saved")

    def finish(self) -> EndpointReport:
        """Close the report and write it to ops.endpoint_runs."""
        self.report.requests = self.source.requests - self._requests
        self.report.seconds = time.monotonic() - self._started
        self.report.distinct_rows = len(self.accepted)
        if self._hidden:
            self._hidden.keep(self.seen, self.buried)
        instead = self.distrust and f"the whole list was read instead: {self.distrust}"
        remarks = [self.report.reason, instead, self.list.refusals, self.list.silence]
        self.report.reason = "; ".join(str(remark) for remark in remarks if remark) or None
        commit = Commit(self.endpoint.table, drift=self.drift(), endpoint_run=endpoint_run(self.report, self.run))
        self.warehouse.commit(commit)
        failpoint("sync.reported")
        return self.report

    def drift(self) -> pl.DataFrame:
        """Return what the source did not know or honour of our requests, as rows of ops.drift."""
        found = [("refused_expand", token) for token in self.list.refused]
        found += [("not_as_asked", self.distrust.path)] if self.distrust else []
        seen = {"first_seen_at": self.run.now, "last_seen_at": self.run.now, "times_seen": 1, "value": None}
        about = {"organisation_id": self.run.organisation_id, "endpoint": self.endpoint.table}
        return pl.DataFrame([{**about, **seen, "kind": kind, "field": name} for kind, name in found], schema=OPS["drift"], orient="row")

    def known_ids(self) -> set[int]:
        """Return the ids of all live records of the log."""
        return set(self.warehouse.live(self.endpoint.table, self.run.organisation_id)["id"].to_list())

    def absent_of(self, known: set[int], seen: set[int]) -> list[int]:
        """Return the known records that a complete reading did not show and that are to be asked for, once the breaker let them pass.

        A record that no list showed before either, and that its id found, counts neither as absent nor as known.
        """
        absent, trusted = known - seen - self.list.unanswered.keys(), self.hidden.trusted
        if self.endpoint.table in self.run.accepted:
            return sorted(absent)
        breakers.check_absence(self.name, self.endpoint.table, len(absent - trusted), len(known - (absent & trusted)), not seen)
        return self.hidden.in_turn(absent)

    @property
    def hidden(self) -> Hidden:
        """Return the records that no list shows and that their id finds; read when first asked for."""
        run = self.run
        self._hidden = self._hidden or Hidden.open(self.warehouse, self.endpoint.table, run.run_id, run.organisation_id, run.now)
        return self._hidden

    def bury(self, absent: Sequence[int]) -> list[int]:
        """Append a tombstone for each absent record that the source confirms as gone; return their ids."""
        gone = absence.confirmed(self.list, self.warehouse, absent)
        moment = (self.run.run_id, self.run.now)
        stones = [Tombstone(self.run.organisation_id, record_id, *moment) for record_id in gone]
        if stones:
            failpoint("sync.before_tombstones")
            self.warehouse.commit(Commit(self.endpoint.table, tombstones=stones))
            failpoint("sync.after_tombstones")
        self.report.counts.deleted += len(gone)
        self.buried |= set(gone)
        if self.endpoint.absence is Absence.GET:
            self.hidden.note(set(absent) - self.buried - self.list.unanswered.keys())
        return gone

    def check_company(self, known: set[int], pages: Sequence[Page]) -> None:
        """Raise when the rows of a whole reading's beginning are none of those that are known."""
        if self.endpoint.table not in self.run.accepted:
            shown = {record_id for page in pages for raw in page.records if (record_id := records.id_of(raw)) is not None}
            breakers.check_company(self.name, self.endpoint.table, known, shown)

    @cached_property
    def given_up(self) -> set[int]:
        """Return the raw hashes of the refused records that somebody gave up: as long as they stay the same they are no news."""
        found = "select raw_hash from ops.quarantine where organisation_id = ? and endpoint = ? and status = 'discarded'"
        return set(self.warehouse.query(found, [self.run.organisation_id, self.endpoint.table])["raw_hash"].to_list())

    def check_quarantine(self, intake: Intake) -> None:
        """Raise when too much of what was read broke the contract; the refused rows are kept as evidence."""
        if self.endpoint.table in self.run.accepted:
            return
        counts, batch = self.report.counts, intake.counts.fetched
        self.excused += sum(one.raw_hash in self.given_up for one in intake.refused)
        try:
            breakers.check_quarantine(
                self.name, self.endpoint.table, intake.refused, batch, bad=counts.quarantined - self.excused, read=counts.fetched
            )  # fmt: skip
        except Breaker:
            self.warehouse.commit(Commit(self.endpoint.table, quarantine=intake.commit.quarantine))
            raise


def batches(pages: Iterable[Page], size: BatchSize) -> Iterator[list[Page]]:
    """Gather pages to batches of that size; the last batch is what is left, and an empty walk is one empty batch.

    What was read before the source failed is a batch, too: one that always fails at the same place must not be read from
    the start for ever.
    """
    gathered: list[Page] = []
    count, since = 0, time.monotonic()
    try:
        for page in pages:
            gathered.append(page)
            if is_full(gathered, time.monotonic() - since, size):
                yield gathered
                gathered, since, count = [], time.monotonic(), count + 1
    except NotAsAsked:  # its order proves nothing
        raise
    except MaintainXError:
        if gathered:
            yield gathered
        raise
    if gathered or not count:
        yield gathered


def is_full(pages: Sequence[Page], seconds: float, size: BatchSize) -> bool:
    """Return whether the pages make a batch."""
    rows, bytes_read = sum(len(page.records) for page in pages), sum(page.bytes for page in pages)
    return rows >= size.rows or bytes_read >= size.size or seconds >= size.seconds


def endpoint_run(report: EndpointReport, run: Run) -> dict:
    """Return the report as a row of ops.endpoint_runs."""
    return {
        "run_id": run.run_id, "organisation_id": run.organisation_id, "endpoint": report.endpoint, "kind": report.kind,
        "status": report.status, "read_at": run.now, "requests": report.requests, "seconds": report.seconds,
        "watermark_from": report.watermark_from, "watermark_to": report.watermark_to, "reason": report.reason, **asdict(report.counts),
    }  # fmt: skip


def latest_of(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two instants; the other one when one is None."""
    return max(one, other) if one and other else one or other

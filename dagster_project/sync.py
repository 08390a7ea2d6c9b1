"""Read what changed in one endpoint and append the new versions, batch by batch, each with its watermark."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from dagster_project import walk
from dagster_project.failpoint import failpoint
from dagster_project.frames import records
from dagster_project.ingest import Counts, Intake, Reading, take
from dagster_project.listing import Listing
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Absence, Endpoint, Walk
from dagster_project.maintainx.errors import Forbidden, MaintainXError, NotFound
from dagster_project.walk import Slice
from dagster_project.warehouse.base import Commit, State, Tombstone, Warehouse
from dagster_project.warehouse.tables import OPS

BATCH_ROWS, BATCH_BYTES, BATCH_SECONDS = 5_000, 16 * 2**20, 30.0
SLICES, SLICE_ROWS = 8, 1_000  # of a first load, four read at a time; fewer where that makes them smaller than five pages
MOST_QUARANTINED = (50, 0.05)  # rows, and share of what a run read of an endpoint (of 200 and more)
MOST_ABSENT = (50, 0.05)  # rows, and share of the rows known


class Breaker(Exception):
    """An endpoint looks so wrong that reading it stopped before anything was stored: names it, the figures and the next step."""


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
    distinct_rows: int = 0  # the source's records that the contract accepted


Progress = Callable[[EndpointReport], None]  # called after each 5,000 rows


def nothing(_: object) -> None:
    """Ignore progress."""


def sync(endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, progress: Progress = nothing) -> EndpointReport:
    """Read what changed since the watermark, less the overlap, and append the new versions.

    Running it twice changes nothing: a version is appended only when its content moved. An optional endpoint that the
    customer's plan lacks (403, 404) is reported as skipped.

    Raises:
        MaintainXError: the source failed; what was committed stays, the watermark says how far it reaches.
        Breaker: too many rows broke the contract, or too many known rows are gone.
    """
    visit = Visit(endpoint, source, warehouse, run, progress)
    visit.unless_missing(visit.read)
    return visit.finish()


class Visit:
    """One reading of one endpoint: its walk, its batches, its report."""

    def __init__(self, endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, progress: Progress = nothing):
        self.endpoint, self.source, self.warehouse, self.run, self.progress = endpoint, source, warehouse, run, progress
        self.report = EndpointReport(endpoint.table, run.organisation_id)
        self.states = warehouse.states(run.organisation_id, endpoint.table)
        self.main = self.states.get("") or State(run.organisation_id, endpoint.table)
        self.list = Listing(endpoint, source, run.organisation_id, (self.main.expands,) if self.main.expands else ())
        self.report.watermark_from = self.report.watermark_to = self.main.watermark
        self.seen: set[int] = set()
        self.refused: set[int] = set()
        self._started, self._requests = time.monotonic(), source.requests

    def unless_missing(self, read: Callable[[], None]) -> None:
        """Call `read`; an optional endpoint whose very first answer is 403 or 404 is not in the plan, and is skipped."""
        try:
            read()
        except (Forbidden, NotFound) as error:
            if self.endpoint.is_required or self.list.pages_read:
                raise
            self.report.status, self.report.reason = "skipped", f"{type(error).__name__}: {error}"

    def read(self) -> None:
        """Read by the endpoint's walk."""
        match self.endpoint.walk:
            case Walk.WHOLE:
                self.whole()
            case Walk.RECENT:
                self.recent()
            case Walk.ANCHORED:
                self.first_load()
                self.changes()

    def whole(self) -> None:
        """Read every row; what is known and absent is asked for, and buried when the source confirms it."""
        self.report.is_first_load = not self.main.is_complete
        for pages in batches(self.list.every()):
            self.store(pages)
        self.bury(self.absent_of(self.known_ids(), self.seen))
        self.save(replace(self.main, is_complete=True, run_id=self.run.run_id))

    def recent(self) -> None:
        """Read by -updatedAt down to the watermark less the overlap; the watermark moves at the end of the walk."""
        self.report.is_first_load = self.main.watermark is None
        stop = self.main.watermark and self.main.watermark - self.endpoint.overlap
        newest = self.main.watermark
        for pages in batches(walk.recent(self.list.all, stop)):
            newest = latest_of(newest, self.capped(self.store(pages).largest_updated_at))
        self.save(replace(self.main, watermark=newest, is_complete=True, run_id=self.run.run_id))

    def changes(self) -> None:
        """Walk up from the watermark less the overlap; each batch moves the watermark with it."""
        if self.main.watermark is None:
            return
        pages_up = walk.anchored(self.list.one, self.list.all, "updatedAt", self.main.watermark - self.endpoint.overlap)
        for pages in batches(pages_up):
            self.store(pages, moves_watermark=True)

    def first_load(self) -> None:
        """Load everything once, by disjoint slices of createdAt, four at a time; an interrupted load goes on where it was."""
        if self.main.is_complete and self.main.watermark:
            return
        self.report.is_first_load = not any(self.states)  # one that goes on where it was left has not seen every row
        parts = [part for name, state in self.states.items() if name and not state.is_complete and (part := _slice_of(state))]
        if self.report.is_first_load:
            parts = self.plan()
        buffers: dict[str, list[Page]] = {part.name: [] for part in parts}
        for part, page in walk.side_by_side(parts, self.slice_pages):
            buffer = buffers[part.name]
            if page is not None:
                buffer.append(page)
            if page is None or is_full(buffer, 0.0):
                self.store(buffer, state=self.slice_state(part, buffer, is_complete=page is None))
                buffer.clear()
        self.main = replace(self.main, is_complete=True, run_id=self.run.run_id)
        self.warehouse.forget_slices(self.run.organisation_id, self.endpoint.table, self.main)
        failpoint("sync.slices_done")

    def plan(self) -> list[Slice]:
        """Look at the newest page: fix the shape and the first watermark, and return the slices that are left to read."""
        newest = self.list.one([("sort", "-updatedAt")])
        if self.list.widen(newest):
            newest = self.list.one([("sort", "-updatedAt")])
        stamp = max((at.updated_at for at in walk.stamps(newest, "updatedAt") if at.updated_at), default=None)
        watermark = self.capped(stamp)
        self.main = replace(self.main, watermark=watermark, expands=self.list.fallback, run_id=self.run.run_id)
        self.report.watermark_to = watermark
        if newest.next_cursor is None:  # all there is fits on one page
            self.store([newest], state=self.main)
            return []
        first, last = (self.list.one([("sort", sort)]) for sort in ("createdAt", "-createdAt"))
        ends = [[at.created_at for at in walk.stamps(page, "createdAt") if at.created_at] for page in (first, last)]
        if not all(ends):
            raise MaintainXError(f"{self.endpoint.path} has rows without a readable createdAt at its ends", path=self.endpoint.path)
        parts = walk.slices(min(ends[0]), max(ends[1]), slice_count(*ends))
        empty = [self.slice_state(part, [], is_complete=False) for part in parts]
        self.warehouse.commit(Commit(self.endpoint.table, states=[self.main, *empty]))
        failpoint("sync.planned")
        return parts

    def slice_pages(self, part: Slice) -> Iterator[Page]:
        """Yield the pages of one slice from where it was left."""
        return walk.anchored(self.list.one, self.list.all, "createdAt", part.anchor, part.end)

    def slice_state(self, part: Slice, pages: Sequence[Page], is_complete: bool) -> State:
        """Return how far a slice is read once `pages` are stored."""
        stamps = [at.created_at for page in pages for at in walk.stamps(page, "createdAt") if at.created_at]
        anchor = max(stamps, default=part.anchor)
        return State(
            self.run.organisation_id, self.endpoint.table, part.name, anchor, part.start, part.end, is_complete, None, self.run.run_id
        )

    def store(self, pages: Sequence[Page], moves_watermark: bool = False, state: State | None = None) -> Intake:
        """Commit one batch with its counts, its quarantine and its state; trip the breaker before anything is stored."""
        reading = Reading(
            self.endpoint, self.list.expands, self.run.organisation_id, self.run.run_id, self.run.now, self.run.keep_personal
        )  # fmt: skip
        intake = take(reading, [raw for page in pages for raw in page.records], self.warehouse)
        said_rows = self.report.counts.fetched
        self.report.counts.add(intake.counts)
        self.check_quarantine(intake)
        if moves_watermark:
            watermark = latest_of(self.main.watermark, self.capped(intake.largest_updated_at))
            self.main = replace(self.main, watermark=watermark, run_id=self.run.run_id)
            self.report.watermark_to = self.main.watermark
        intake.commit.states = [one for one in (state, self.main if moves_watermark else None) if one]
        self.enrich(intake)
        failpoint("sync.before_batch")
        self.warehouse.commit(intake.commit)
        failpoint("sync.after_batch")
        self.seen |= intake.seen_ids
        self.refused |= intake.refused_ids
        self.report.requests = self.source.requests - self._requests
        if self.report.counts.fetched // BATCH_ROWS > said_rows // BATCH_ROWS:
            self.progress(self.report)
        return intake

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
        self.report.distinct_rows = len(self.seen - self.refused)
        self.report.reason = self.report.reason or self.list.refusals
        commit = Commit(self.endpoint.table, drift=self.refused_expands(), endpoint_run=endpoint_run(self.report, self.run))
        self.warehouse.commit(commit)
        failpoint("sync.reported")
        return self.report

    def refused_expands(self) -> pl.DataFrame:
        """Return what the source did not know of our requests, as rows of ops.drift."""
        seen = {"first_seen_at": self.run.now, "last_seen_at": self.run.now, "times_seen": 1, "kind": "refused_expand", "value": None}
        about = {"organisation_id": self.run.organisation_id, "endpoint": self.endpoint.table}
        return pl.DataFrame([{**about, **seen, "field": token} for token in self.list.refused], schema=OPS["drift"], orient="row")

    def relisted(self, absent: Sequence[int]) -> Iterator[Page]:
        """Yield a second complete reading of where the absent records should stand."""
        if self.endpoint.relist_by is None:
            yield from self.list.every()
            return
        parameter, column = self.endpoint.relist_by
        owners = self.warehouse.column_of(self.endpoint.table, self.run.organisation_id, column, absent)
        for owner in owners:
            yield from self.list.all([(parameter, str(owner))])

    def known_ids(self) -> set[int]:
        """Return the ids of all live records of the log."""
        return set(self.warehouse.live(self.endpoint.table, self.run.organisation_id)["id"].to_list())

    def absent_of(self, known: set[int], seen: set[int]) -> list[int]:
        """Return the known records that a complete reading did not show, once the breaker let them pass."""
        absent = sorted(known - seen)
        rows, share = MOST_ABSENT
        is_wholly_other = len(absent) == len(known) and (len(known) > 1 or not seen)
        is_mass = bool(absent) and (is_wholly_other or len(absent) > max(rows, share * len(known)))
        if is_mass and self.endpoint.table not in self.run.accepted:
            raise Breaker(
                f"{self.endpoint.table} of organisation {self.run.organisation_id}: {len(absent)} of {len(known)} known records are absent "
                f"from the source. Nothing was deleted. Check the token's permissions; if they are really gone, run again with "
                f"--accept {self.endpoint.table}"
            )
        return absent

    def bury(self, absent: Sequence[int]) -> list[int]:
        """Append a tombstone for each absent record that the source confirms as gone; return their ids."""
        gone = confirmed(self.endpoint, self.source, self, absent)
        moment = (self.run.run_id, self.run.now)
        stones = [Tombstone(self.run.organisation_id, record_id, *moment) for record_id in gone]
        if stones:
            failpoint("sync.before_tombstones")
            self.warehouse.commit(Commit(self.endpoint.table, tombstones=stones))
            failpoint("sync.after_tombstones")
        self.report.counts.deleted += len(gone)
        return gone

    def check_quarantine(self, intake: Intake) -> None:
        """Raise when too much of what was read broke the contract; the refused rows are kept as evidence."""
        read, bad = self.report.counts.fetched, self.report.counts.quarantined
        rows, share = MOST_QUARANTINED
        if self.endpoint.table in self.run.accepted:
            return
        foreign = [one for one in intake.refused if one.reason_code == "wrong_organisation"]
        if foreign and len(foreign) == intake.counts.fetched:
            self.warehouse.commit(Commit(self.endpoint.table, quarantine=intake.commit.quarantine))
            raise Breaker(
                f"{self.endpoint.table} of organisation {self.run.organisation_id}: every record belongs to organisation "
                f"{foreign[0].value}. Nothing was stored. Check which organisation the token reads, and the ids in sites.toml"
            )
        if read >= 200 and bad > max(rows, share * read):
            self.warehouse.commit(Commit(self.endpoint.table, quarantine=intake.commit.quarantine))
            raise Breaker(
                f"{self.endpoint.table} of organisation {self.run.organisation_id}: {bad} of {read} records broke the contract. This batch "
                f"was not stored. If MaintainX changed its format, the program needs an update; to go on without these records, run "
                f"again with --accept {self.endpoint.table}"
            )


def slice_count(oldest: Sequence[datetime], newest: Sequence[datetime]) -> int:
    """Return how many slices a first load is worth, from the instants of its first and its last page.

    A slice costs half a page on average, since its last one is not full.
    """
    spans = [max(page) - min(page) for page in (oldest, newest)]
    whole, of_pages = max(newest) - min(oldest), sum(spans, timedelta(0))
    if not of_pages:
        return SLICES
    rows = (len(oldest) + len(newest)) * (whole / of_pages)
    return max(1, min(SLICES, int(rows / SLICE_ROWS)))


def confirmed(endpoint: Endpoint, source: MaintainX, visit: Visit, absent: Sequence[int]) -> list[int]:
    """Return those of `absent` that the source says are gone: by GET, or by a second complete reading."""
    if not absent:
        return []
    if endpoint.absence is Absence.GET:
        return [record_id for record_id in absent if is_gone(source.get(f"{endpoint.path}/{record_id}"))]
    again = {records.id_of(raw) for page in visit.relisted(absent) for raw in page.records}
    return [record_id for record_id in absent if record_id not in again]


def is_gone(answer: dict | None) -> bool:
    """Return whether a GET by id says that the record is deleted: 404, or a body that says so itself."""
    if answer is None:
        return True
    record = next((value for value in answer.values() if isinstance(value, dict)), answer) if len(answer) == 1 else answer
    return bool(record.get("deletedAt") or record.get("removedFromOrganization"))


def batches(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Gather pages to 5,000 rows, 16 MB or 30 s; the last batch is what is left, and an empty walk is one empty batch."""
    gathered: list[Page] = []
    count, since = 0, time.monotonic()
    for page in pages:
        gathered.append(page)
        if is_full(gathered, time.monotonic() - since):
            yield gathered
            gathered, since, count = [], time.monotonic(), count + 1
    if gathered or not count:
        yield gathered


def is_full(pages: Sequence[Page], seconds: float) -> bool:
    """Return whether the pages make a batch."""
    rows, size = sum(len(page.records) for page in pages), sum(page.bytes for page in pages)
    return rows >= BATCH_ROWS or size >= BATCH_BYTES or seconds >= BATCH_SECONDS


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


def _slice_of(state: State) -> Slice | None:
    if state.slice_from is None or state.slice_to is None:
        return None
    return Slice(state.slice, state.slice_from, state.slice_to, state.watermark or state.slice_from)

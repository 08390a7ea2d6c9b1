"""A MaintainX of eight records at most and a clock that ticks when told: the simulator's own lists and paging, two rows a page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from simulator import paging
from simulator.api import Response, Simulator
from simulator.catalogue import BY_PATH, Collection
from simulator.instants import MINUTE, from_datetime, iso
from simulator.lists import Lists
from simulator.mishaps import date_header
from simulator.options import Options
from simulator.problems import Refused
from simulator.rows import Rows
from simulator.world import World

START = from_datetime(datetime(2026, 11, 16, 6, tzinfo=UTC))
IDS = range(1, 9)
STEP = 45 * MINUTE
OVERLAP = 8  # ticks in the three hours that a walk reads again
LONGEST_SWEEP = 64  # ticks in the day after which a sweep that was interrupted begins anew
LONGEST_START = 12  # ticks until an upcoming order begins
ORGANISATIONS = count(100_000)  # each history its own: one warehouse serves many
PATHS = {each.table: path for path, each in BY_PATH.items()}
Parameters = list[tuple[str, str]]


def instant(tick: int) -> int:
    """Return the milliseconds of a tick: every other one follows by a single millisecond, else half an overlap holds four."""
    return START + tick // 2 * STEP + tick % 2


class CursorExpired(Exception):
    """The source does not know its own cursor any more."""


@dataclass(frozen=True)
class Setting:
    """How the source behaves throughout a history."""

    table: str = "work_orders"
    is_keyset: bool = True
    granularity: int = 1  # ticks; a stamp is rounded down to it
    skew: int = 0  # ticks by which the reader's clock (of a source's Date header: that) is ahead
    default_sort: str | None = None  # of a list that was asked for no order; None: as the simulator has it
    page: int = 2
    batch: int = 3  # rows that the reader gathers before it stores them; a first load has slices of one less


@dataclass(frozen=True)
class Op:
    """One thing that happens to the source, `ticks` after what happened before."""

    kind: str
    id: int = 0
    ticks: int = 1
    n: int = 0  # ticks of lag, until the start, or back; 1 for a deletion or its end that moves updatedAt


@dataclass
class Rec:
    """One record; `v` stands for its content."""

    id: int
    v: int
    updated_at: int
    created_at: int
    start_at: int | None = None
    deleted_at: int | None = None
    is_silent: bool = False  # it changed and updatedAt does not tell

    @property
    def content(self) -> tuple[int, int]:
        """What a reader must know of it."""
        return self.v, self.updated_at


class Source:
    """Records, what became of them, and the requests that were answered."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.organisation = setting, next(ORGANISATIONS)
        self.now = 0
        self.recs: dict[int, Rec] = {}
        self.trash: dict[int, Rec] = {}
        self.pending: list[tuple[int, int, Op, int]] = []  # visible at, order of coming, what, its stamp
        self.seen: dict[int, set[tuple[int, int]]] = {id_: set() for id_ in IDS}  # every content that an id ever had
        self.deletions: list[int] = []  # ids, in order
        self.log: list[object] = []
        self.meanwhile: Iterator[Callable[[], object] | None] = iter(())  # what happens before each request but the first
        self.stale, self.expires = 0, False  # of the next request; of the next cursor
        self._versions = count(1)
        self._snapshots: list[tuple[int, dict[int, bytes]]] = [(0, {})]
        self.world = World(START, keep_versions=False)
        self.world.add("organizations", self.organisation, {"id": self.organisation, "name": "Model"})
        self.simulator = SmallSimulator(self)

    @property
    def truth(self) -> dict[int, tuple[int, int]]:
        """What exists now: content by id."""
        return {rec.id: rec.content for rec in self.recs.values() if rec.deleted_at is None}

    @property
    def clock(self) -> int:
        """The reader's clock, in milliseconds."""
        return self.world.now + self.setting.skew * STEP // 2

    @property
    def stamp(self) -> int:
        """What a change made now writes as its time."""
        return instant(self.now - self.now % self.setting.granularity)

    def tick(self, ticks: int) -> None:
        """Let time pass; what was written earlier and is visible by then becomes so."""
        until = self.now + ticks
        while self.pending and min(self.pending)[0] <= until:
            self.pending.sort(key=lambda each: each[:2])
            visible_at, _, op, stamp = self.pending.pop(0)
            self._set_clock(visible_at)
            self._commit(op, stamp)
        self._set_clock(until)

    def settle(self) -> None:
        """Let everything come that is under way, and a time without changes pass."""
        self.calm()
        self.tick(max([OVERLAP + LONGEST_START, *(1 + each[0] - self.now for each in self.pending)]))
        self.tick(LONGEST_SWEEP)

    def calm(self) -> None:
        """Let nothing more happen between requests."""
        self.meanwhile, self.stale, self.expires = iter(()), 0, False

    def apply(self, op: Op) -> None:
        """Let one thing happen."""
        self.log.append(op)
        self.tick(op.ticks)
        match op.kind:
            case "stale":
                self.stale = op.n
            case "expire":
                self.expires = True
            case "late_update" | "late_create":
                self.pending.append((self.now + op.n, next(self._versions), op, self.stamp))
            case _:
                self._commit(op, self.stamp)

    def _commit(self, op: Op, stamp: int) -> None:
        rec, buried = self.recs.get(op.id), self.trash.get(op.id)
        match op.kind:
            case "create" | "late_create" | "reuse" if rec is None or rec.deleted_at is not None:
                self.trash.pop(op.id, None)
                start_at = instant(self.now + op.n) if op.n and op.kind == "create" else None
                self._store(Rec(op.id, next(self._versions), stamp, stamp, start_at))
            case "update" | "late_update" if rec is not None and rec.deleted_at is None:
                self._store(replace(rec, v=next(self._versions), updated_at=stamp, is_silent=False))
            case "silent" if rec is not None:
                self._store(replace(rec, v=next(self._versions), is_silent=True))
            case "delete" if rec is not None:
                self.trash[op.id] = self.recs.pop(op.id)
                self.deletions.append(op.id)
                self.world.delete(self.setting.table, self.organisation, op.id)
                self._remember()
            case "bury" if rec is not None:
                self.trash[op.id] = rec
                self.deletions.append(op.id)
                self._store(replace(rec, deleted_at=self.world.now, updated_at=stamp if op.n else rec.updated_at))
            case "undelete" if buried is not None:
                rec = self.trash.pop(op.id)
                bumped = replace(rec, v=next(self._versions), updated_at=stamp, is_silent=False)
                self._store(bumped if op.n else replace(rec, is_silent=True))

    def _set_clock(self, tick: int) -> None:
        self.now = tick
        self.world.now = instant(tick)

    def _store(self, rec: Rec) -> None:
        self.recs[rec.id] = rec
        self.seen[rec.id].add(rec.content)
        self.world.add(self.setting.table, self.organisation, self._record(rec))
        self._remember()

    def _record(self, rec: Rec) -> dict[str, Any]:
        at = {"createdAt": iso(rec.created_at), "updatedAt": iso(rec.updated_at)}
        at |= {"startDate": iso(rec.start_at)} if rec.start_at else {}
        at |= {"deletedAt": iso(rec.deleted_at)} if rec.deleted_at else {}
        return {"id": rec.id, "organizationId": self.organisation, **_CONTENT[self.setting.table](rec), **at}

    def _remember(self) -> None:
        self._snapshots.append((self.now, dict(self.world.table(self.setting.table, self.organisation).rows.encoded)))

    def rows(self) -> dict[int, bytes] | None:
        """Return the rows as a replica that lags behind has them, None when the next answer is up to date."""
        asked, self.stale = self.now - self.stale, 0
        if asked == self.now:
            return None
        return next(rows for at, rows in reversed(self._snapshots) if at <= max(asked, 0))

    def happen(self) -> None:
        """Let happen what was planned between two requests."""
        change = next(self.meanwhile, None)
        if change:
            change()

    def list(self, cursor: str | None = None, **parameters: str) -> tuple[list[dict[str, Any]], str | None]:
        """Return one page and the cursor of the next one; gte and lte are of updatedAt.

        Raises:
            CursorExpired: begin again.
        """
        names = {"gte": "updatedAt[gte]", "lte": "updatedAt[lte]"}
        query = [(names.get(name, name), value) for name, value in parameters.items()] + ([("cursor", cursor)] if cursor else [])
        response = self.simulator.respond("GET", f"/v1/{PATHS[self.setting.table]}", query, self.headers)
        if response.status == 400:
            raise CursorExpired
        page = msgspec.json.decode(response.body)
        return next(iter(page.values())), page["nextCursor"]

    def get(self, id_: int) -> dict[str, Any] | None:
        """Return one record, None when there is none."""
        response = self.simulator.respond("GET", f"/v1/{PATHS[self.setting.table]}/{id_}", [], self.headers)
        return next(iter(msgspec.json.decode(response.body).values())) if response.status == 200 else None

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request must carry."""
        return {"Authorization": f"Bearer demo-{self.organisation}"}


_CONTENT: dict[str, Callable[[Rec], dict[str, Any]]] = {
    "work_orders": lambda rec: {
        "sequentialId": rec.id, "title": f"v{rec.v}", "timeItems": [{"durationTotal": rec.v}],
        **({"status": "OPEN"} if rec.id % 2 else {"status": "DONE", "completedAt": iso(rec.created_at)}),
    },
    "assets": lambda rec: {"name": f"v{rec.v}"},
    "parts": lambda rec: {"name": f"v{rec.v}"},
    "locations": lambda rec: {"name": f"v{rec.v}"},
    "asset_statuses": lambda rec: {
        "assetId": rec.id % 3 + 1, "status": "OFFLINE", "startedAt": iso(rec.created_at), "creatorId": 1, "description": f"v{rec.v}",
    },
}  # fmt: skip


class SmallSimulator(Simulator):
    """The simulator with small pages, over whose requests the source has power."""

    def __init__(self, source: Source) -> None:
        self.source, setting = source, source.setting
        sorts = dict(Options().default_sorts) | ({setting.table: setting.default_sort} if setting.default_sort else {})
        super().__init__(source.world, Options(default_sorts=sorts))
        self._lists = SmallLists(source, self.options, self._shapes)

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        """Answer after what was planned has happened."""
        if path == "/v1/organizations":
            return self._dated(super().respond(method, path, query, headers, body))
        self.source.happen()
        given = [(name, value) for name, value in query if name != "limit"]
        if self.source.expires and any(name == "cursor" for name, _ in given):
            self.source.expires = False
            response = self._refused(paging.invalid_cursor())
        else:
            limit = [("limit", str(self.source.setting.page))] if path.count("/") == 2 else []
            response = self._dated(super().respond(method, path, [*limit, *given], headers, body))
        self.source.log.append((path.removeprefix("/v1/"), given, response.status, response.body))
        return response

    def _refused(self, refusal: Refused) -> Response:
        return Response(refusal.status, {"Date": date_header(self.world)}, msgspec.json.encode(refusal.body))

    def _dated(self, response: Response) -> Response:
        skew = timedelta(milliseconds=self.source.clock - self.world.now)
        response.headers["Date"] = date_header(self.world, skew.total_seconds())
        return response

    def _find(self, collection: Any, organisation_id: int, record_id: int | None) -> Any:
        lagging = self.source.rows()
        if lagging is None or record_id is None:
            return super()._find(collection, organisation_id, record_id)
        return msgspec.json.decode(lagging[record_id]) if record_id in lagging else None


class SmallLists(Lists):
    """The simulator's lists, paged as the setting says, at times from a replica that lags behind."""

    def __init__(self, source: Source, options: Options, shapes: Any) -> None:
        super().__init__(source.world, options, shapes)
        self.source = source

    def page(self, collection: Collection, parameters: Parameters, organisations: list[int], lag: int) -> bytes:
        """Return the page that the parameters ask for."""
        return super().page(replace(collection, is_keyset=self.source.setting.is_keyset), parameters, organisations, lag)

    def _rows(self, collection: Collection, organisation_id: int, lag: int) -> Rows:
        lagging = self.source.rows()
        if lagging is None:
            return super()._rows(collection, organisation_id, lag)
        rows = Rows()
        rows.encoded = lagging
        return rows

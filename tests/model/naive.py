"""How most people copy a list that changes, each with the hole it has; the last one has none.

They stay here so that the model test can prove that it would find such holes: each is caught by its kind of fault.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dagster_project.failpoint import failpoint
from simulator.instants import HOUR, iso, parse
from tests.model.source import CursorExpired, Source

LAG = 3 * HOUR
PAGE = "2"
Content = tuple[int, int]  # version, updatedAt


class Failed(Exception):
    """A sync or a sweep gave up, and said so: what was stored before stays, the next one goes on."""


class Algorithm(ABC):
    """Something that keeps a copy of the source."""

    has_sweep = False
    keeps_up = False  # a sync alone brings all that updatedAt tells of
    sweeps_labour = False  # a small sweep finds silent changes

    @abstractmethod
    def sync(self) -> None:
        """Read what changed. Raises Failed."""

    def sweep(self, scope: str = "full") -> None:  # noqa: B027  most have none
        """Compare all there is. Raises Failed."""

    def look(self) -> None:  # noqa: B027
        """Look at what is stored now: `live` and `deleted` tell what was seen last."""

    @abstractmethod
    def live(self) -> list[tuple[int, Content]]:
        """Return what the copy says exists."""

    @abstractmethod
    def deleted(self) -> set[int]:
        """Return the ids that the copy says were deleted."""

    def rest(self) -> None:
        """Read what changed of a source that stands still; should all of it be gone, somebody has said that this is right."""
        self.sync()

    def settle(self) -> None:
        """Compare all there is with a source that stands still."""
        self.sweep()

    def check(self) -> None:  # noqa: B027
        """Raise AssertionError when the copy contradicts itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a reader makes of a record."""

    id: int
    v: int
    updated_at: int
    is_deleted: bool

    @property
    def content(self) -> Content:
        """What a copy must have."""
        return self.v, self.updated_at


@dataclass
class Store:
    """A copy whose every commit is one transaction; what is not in it does not survive a crash."""

    rows: dict[int, Row] = field(default_factory=dict)
    appended: list[Row] = field(default_factory=list)
    buried: set[int] = field(default_factory=set)
    watermark: int | None = None

    def commit(self, rows: Iterable[Row] = (), watermark: int | None = None, buried: Iterable[int] = ()) -> None:
        """Store rows, ids that are gone, and how far it was read."""
        rows = list(rows)
        failpoint("transaction.before_commit")
        self.rows |= {row.id: row for row in rows if not row.is_deleted}
        gone = {*buried, *(row.id for row in rows if row.is_deleted)}
        self.buried = (self.buried | gone) - {row.id for row in rows if not row.is_deleted}
        for id_ in gone:
            self.rows.pop(id_, None)
        self.appended += rows
        self.watermark = self.watermark if watermark is None else watermark
        failpoint("transaction.after_commit")


class Naive(Algorithm):
    """What the following share."""

    def __init__(self, source: Source) -> None:
        self.source, self.store = source, Store()

    def sync(self) -> None:
        try:
            self.read()
        except CursorExpired as error:
            raise Failed from error

    @abstractmethod
    def read(self) -> None:
        """Read what changed. Raises CursorExpired."""

    def live(self) -> list[tuple[int, Content]]:
        return [(row.id, row.content) for row in self.store.rows.values()]

    def deleted(self) -> set[int]:
        return self.store.buried

    def pages(self, since: int | None, **more: str) -> Iterator[list[Row]]:
        """Yield pages by the server's cursor."""
        cursor = None
        while True:
            found, cursor = self.one(since, cursor=cursor, **more)
            yield found
            if cursor is None:
                return

    def one(self, since: int | None, **more: Any) -> tuple[list[Row], str | None]:
        """Return one page."""
        bounds = {} if since is None else {"gte": iso(since)}
        found, cursor = self.source.list(**bounds, **more)
        return [row_of(record) for record in found], cursor


def row_of(record: dict[str, Any]) -> Row:
    """Return what a reader makes of a record."""
    return Row(record["id"], int(record["title"][1:]), parse(record["updatedAt"]), bool(record.get("deletedAt")))


def newest(rows: Iterable[Row], *others: int | None) -> int | None:
    """Return the largest updatedAt."""
    return max((at for at in (*others, *(row.updated_at for row in rows)) if at is not None), default=None)


class ExtractedAt(Naive):
    """`extractedAt`: what was updated since our clock at the start of the last run."""

    def read(self) -> None:
        started = self.source.clock
        for rows in self.pages(self.store.watermark):
            self.store.commit(rows)
        self.store.commit(watermark=started)


class ClockAtEnd(Naive):
    """The same with our clock at the end of the last run."""

    def read(self) -> None:
        for rows in self.pages(self.store.watermark):
            self.store.commit(rows)
        self.store.commit(watermark=self.source.clock)


class StrictlyLater(Naive):
    """Sorted, and strictly later than the largest updatedAt that was read."""

    def read(self) -> None:
        since, largest = self.store.watermark, self.store.watermark
        for rows in self.pages(None if since is None else since + 1, sort="updatedAt"):
            self.store.commit(rows)
            largest = newest(rows, largest)
        self.store.commit(watermark=largest)


class VendorBasic(Naive):
    """As the vendor's document says: gte the largest updatedAt, follow the pages, overwrite by id."""

    def read(self) -> None:
        largest = self.store.watermark
        for rows in self.pages(self.store.watermark):
            self.store.commit(rows)
            largest = newest(rows, largest)
        self.store.commit(watermark=largest)


class Append(VendorBasic):
    """The same, but rows are appended and never overwritten."""

    def live(self) -> list[tuple[int, Content]]:
        return [(row.id, row.content) for row in self.store.appended]


class CheckpointUnsorted(Naive):
    """The watermark is saved with each page, whatever the order of the rows."""

    order: dict[str, str] = {}  # noqa: RUF012

    def read(self) -> None:
        for rows in self.pages(self.store.watermark, **self.order):
            self.store.commit(rows, newest(rows, self.store.watermark))


class CheckpointSorted(CheckpointUnsorted):
    """The watermark is saved with each page of a sorted list."""

    order = {"sort": "updatedAt"}  # noqa: RUF012


class StateFirst(Naive):
    """Sorted; the watermark is saved before the rows are."""

    def read(self) -> None:
        found = [row for rows in self.pages(self.store.watermark, sort="updatedAt") for row in rows]
        self.store.commit(watermark=newest(found, self.store.watermark))
        self.store.commit(found)


class VendorOverlap(Naive):
    """Sorted, by the server's cursor, from the largest updatedAt less an overlap: the best that is commonly done."""

    def read(self) -> None:
        largest = self.store.watermark
        for rows in self.pages(None if largest is None else largest - LAG, sort="updatedAt"):
            self.store.commit(rows)
            largest = newest(rows, largest)
        self.store.commit(watermark=largest)


class NewerWins(Naive):
    """Each request starts at the last value seen, less an overlap at the start; of two contents the newer updatedAt wins."""

    def read(self) -> None:
        anchor = None if self.store.watermark is None else self.store.watermark - LAG
        while True:
            rows, cursor = self.one(anchor, sort="updatedAt", show_upcoming="true")
            self.take(rows)
            if cursor is None:
                return
            if rows[-1].updated_at > rows[0].updated_at:
                anchor = rows[-1].updated_at
            else:
                self.tied(rows[0].updated_at)
                anchor = rows[0].updated_at + 1

    def tied(self, value: int) -> None:
        """Read the rows of one value, once."""
        self.walk_tie(value)

    def walk_tie(self, value: int) -> set[int]:
        """Read the rows of one value by the server's cursor and return their ids."""
        ids: set[int] = set()
        for rows in self.pages(value, lte=iso(value), sort="updatedAt", show_upcoming="true"):
            self.take(rows)
            ids |= {row.id for row in rows}
        return ids

    def take(self, rows: list[Row]) -> None:
        """Store a page and how far it was read."""
        kept = [row for row in rows if not self.is_older(row)]
        self.store.commit(kept, newest(rows, self.store.watermark))

    def is_older(self, row: Row) -> bool:
        """Tell whether the copy has something newer."""
        before = self.store.rows.get(row.id)
        return before is not None and row.updated_at < before.updated_at


class Reread(NewerWins):
    """The same, but a row older than its copy is read again by its id, and that answer is the truth."""

    def take(self, rows: list[Row]) -> None:
        fresh = [self.again(row.id) if self.is_older(row) else row for row in rows]
        self.store.commit(filter(None, fresh), newest(rows, self.store.watermark))

    def again(self, id_: int) -> Row | None:
        """Return a record as it is now."""
        record = self.source.get(id_)
        return row_of(record) if record else None


class FixedPoint(Reread):
    """The same, and rows of one value are read until two readings show the same ids."""

    def tied(self, value: int) -> None:
        before = None
        while before != (before := self.walk_tie(value)):
            pass


class AbsentIsDeleted(FixedPoint):
    """The same, with a sweep of everything; what it does not show was deleted."""

    has_sweep = keeps_up = True

    def sweep(self, scope: str = "full") -> None:
        try:
            self.compare()
        except CursorExpired as error:
            raise Failed from error

    def compare(self) -> None:
        """Read everything; what differs in content without being newer is read again by its id."""
        shown: set[int] = set()
        for rows in self.pages(None, sort="createdAt", show_upcoming="true"):
            shown |= {row.id for row in rows}
            self.store.commit(filter(None, [self.again(row.id) if self.is_doubtful(row) else row for row in rows]))
        self.absent(set(self.store.rows) - shown)

    def is_doubtful(self, row: Row) -> bool:
        """Tell whether the copy has another content that is as new."""
        before = self.store.rows.get(row.id)
        return before is not None and row.updated_at <= before.updated_at and row != before

    def absent(self, ids: set[int]) -> None:
        """Do what is to be done about records that were not shown."""
        self.store.commit(buried=ids)


class Proposed(AbsentIsDeleted):
    """The same; a record that was not shown is asked for by its id, and was deleted if that finds nothing."""

    def absent(self, ids: set[int]) -> None:
        for id_ in sorted(ids):
            row = self.again(id_)
            self.store.commit([row] if row else [], buried=[] if row else [id_])


ALGORITHMS: dict[str, Callable[[Source], Algorithm]] = {
    "extractedAt": ExtractedAt,
    "clock at end": ClockAtEnd,
    "strictly later": StrictlyLater,
    "vendor basic": VendorBasic,
    "append": Append,
    "checkpoint, unsorted": CheckpointUnsorted,
    "checkpoint, sorted": CheckpointSorted,
    "state before data": StateFirst,
    "vendor + overlap": VendorOverlap,
    "anchored, newer wins": NewerWins,
    "+ older rows read again": Reread,
    "+ ties to a fixed point": FixedPoint,
    "+ sweep, absent = deleted": AbsentIsDeleted,
    "+ sweep confirmed by id": Proposed,
}

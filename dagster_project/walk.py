"""How a collection is read so that nothing is skipped while it changes: pages in, pages out; nothing is stored here.

The value-anchored walk: each request starts at the last value seen (`updatedAt[gte]=<it>`), the server's cursor is not
used, so a row that moves while we read cannot push another out of sight.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from dagster_project.maintainx.client import Page
from dagster_project.maintainx.errors import BadRequest, EndlessWalk, NotFound, ProtocolError

MILLISECOND = timedelta(milliseconds=1)  # the resolution of the API's instants
SECOND = timedelta(seconds=1)  # the coarsest resolution that a filter may have
MOST_BARE_PAGES = 100  # pages in a row without a row that can be placed
TIE_WALKS = 10  # readings of a group of rows with one stamp until two agree

Read = Callable[[Sequence[tuple[str, str]]], Page]  # one request: the endpoint's own parameters and these
ReadAll = Callable[[Sequence[tuple[str, str]]], Iterator[Page]]  # the same, following the server's cursor


class NotAsAsked(ProtocolError):
    """A list is not sorted or filtered as it was asked for: what a walk by value reads of it proves nothing."""


class Stamp(msgspec.Struct, rename="camel"):
    """Where a row stands in a walk."""

    id: int
    updated_at: Annotated[datetime, Meta(tz=True)] | None = None
    created_at: Annotated[datetime, Meta(tz=True)] | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a first load: the rows created in [start, end], and how far it was read."""

    name: str
    start: datetime
    end: datetime
    anchor: datetime


_STAMP = msgspec.json.Decoder(Stamp)


def stamps(page: Page, field: str) -> list[Stamp]:
    """Return id and instants of the page's rows; a row without a readable stamp is left out (it goes to quarantine later)."""
    found = []
    for raw in page.records:
        try:
            stamp = _STAMP.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if _at(stamp, field) is not None:
            found.append(stamp)
    return found


def anchored(  # noqa: PLR0917
    read: Read, read_all: ReadAll, field: str, since: datetime | None, until: datetime | None = None, step: timedelta = MILLISECOND
) -> Iterator[Page]:
    """Yield the rows with `field` in [since, until] in ascending order, rows of equal value to a fixed point.

    Args:
        read: one request.
        read_all: the same request through all its pages; for groups of equal values alone.
        field: updatedAt or createdAt, which the source filters and sorts by.
        since: first value, inclusive; None reads from the beginning.
        until: last value, inclusive, the rest of its second too; None reads to the end.
        step: the resolution of the source's filter; where it turns out to be coarser, whole seconds are taken.

    Raises:
        NotAsAsked: the source did not sort or filter as asked.
    """
    anchor = since
    group = datetime.min.replace(tzinfo=UTC)
    onward: list[tuple[str, str]] = []  # a cursor inside a group of equal values
    upper = [(f"{field}[lte]", iso(ceiling(until, SECOND)))] if until else []  # a filter that only knows seconds cuts off what is finer
    while True:
        lower = [(f"{field}[gte]", iso(anchor))] if anchor else []
        values: list[datetime] = []
        cursor: str | None = None
        try:
            for page in placed(read, [*lower, *upper, ("sort", field), *onward], field):
                values = [value for stamp in stamps(page, field) if (value := _at(stamp, field)) is not None]
                cursor = page.next_cursor
                step = _fitting(values, anchor, until, field, step)
                yield page
                if page.next_cursor is None:
                    return
        except (BadRequest, NotFound):
            if not onward:
                raise
            values, cursor = [group], None  # the cursor has expired: the group is read from its start
        onward = []
        if floor(values[-1], step) > floor(values[0], step):
            anchor = floor(values[-1], step)  # within a step the order tells nothing
        elif cursor is not None and _names(cursor, values[-1]):
            onward, group = [("cursor", cursor)], values[-1]
        else:
            yield from _tied(read_all, field, values[0], step)
            anchor = floor(values[0], step) + step


def placed(read: Read, params: Sequence[tuple[str, str]], field: str) -> Iterator[Page]:
    """Yield the page, and by the server's cursor those after it while no row has a readable stamp to go on from."""
    page = read(params)
    for _ in range(MOST_BARE_PAGES):
        yield page
        if page.next_cursor is None or stamps(page, field):
            return
        page = read([*(one for one in params if one[0] != "cursor"), ("cursor", page.next_cursor)])
    raise EndlessWalk(f"{MOST_BARE_PAGES} pages in a row have no row with a readable {field}: the walk cannot go on", path=field)


def recent(read_all: ReadAll, stop_before: datetime | None) -> Iterator[Page]:
    """Yield pages sorted by -updatedAt until one ends in rows older than `stop_before`."""
    for page in read_all([]):
        yield page
        values = [stamp.updated_at for stamp in stamps(page, "updatedAt") if stamp.updated_at]
        if any(later > earlier for earlier, later in pairwise(values)):
            raise NotAsAsked("rows asked for in descending order of updatedAt came in another order", path="updatedAt")
        if stop_before and values and values[-1] < stop_before:
            return


def slices(first: datetime, last: datetime, count: int, step: timedelta = MILLISECOND) -> list[Slice]:
    """Return at most `count` parts of [first, last], each ending where the next begins: stamps finer than `step` are in one, too."""
    start = floor(first, step)
    length = step * ((last - start) // step // count + 1)
    found: list[Slice] = []
    while start <= last:
        end = min(start + length, floor(last, step) + step)
        found.append(Slice(f"{iso(start)}/{iso(end)}", start, end, start))
        start = end
    return found


def side_by_side(parts: Sequence[Slice], walk: Callable[[Slice], Iterator[Page]], workers: int = 4) -> Iterator[tuple[Slice, Page | None]]:
    """Yield the pages of several walks as they come; None ends a part. The first error stops them all and is raised."""
    ready: queue.Queue[tuple[Slice, Page | BaseException | None]] = queue.Queue(maxsize=2 * workers)
    stop = threading.Event()

    def put(item: tuple[Slice, Page | BaseException | None]) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.2)
            except queue.Full:
                continue
        return None

    def produce(part: Slice) -> None:
        try:
            for page in walk(part):
                if stop.is_set():
                    return
                put((part, page))
            put((part, None))
        except BaseException as error:  # handed to the reader, which raises it
            put((part, error))

    with ThreadPoolExecutor(workers, thread_name_prefix="slice") as pool:
        try:
            for part in parts:
                pool.submit(produce, part)
            unfinished = len(parts)
            while unfinished:
                part, item = ready.get()
                if isinstance(item, BaseException):
                    raise item
                unfinished -= item is None
                yield part, item
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def iso(instant: datetime) -> str:
    """Return an instant as the API writes it, rounded down to the millisecond."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def floor(instant: datetime, step: timedelta) -> datetime:
    """Return an instant rounded down to whole steps of at most a second."""
    return instant - timedelta(microseconds=instant.microsecond % (step // timedelta(microseconds=1)))


def ceiling(instant: datetime, step: timedelta) -> datetime:
    """Return an instant rounded up to whole steps: an upper bound must not cut finer stamps off."""
    return floor(instant + step - timedelta(microseconds=1), step)


def check_order(values: Sequence[datetime], field: str, step: timedelta) -> None:
    """Raise NotAsAsked unless the values ascend, as far as the source tells them apart."""
    if any(floor(later, step) < floor(earlier, step) for earlier, later in pairwise(values) if later < earlier):
        raise NotAsAsked(f"rows asked for in ascending order of {field} came in another order", path=field)


def _tied(read_all: ReadAll, field: str, value: datetime, step: timedelta) -> Iterator[Page]:
    """Yield the rows stamped within the step of `value` until two readings give the same ids: then none was skipped.

    A row that leaves the group may push another out of sight, but then it is in one reading and not in the next.
    """
    start = floor(value, step)
    bounds = [(f"{field}[gte]", iso(start)), (f"{field}[lte]", iso(start + step)), ("sort", field)]
    before: set[int] | None = None
    for _ in range(TIE_WALKS):
        ids: set[int] = set()
        for page in read_all(bounds):
            ids.update(stamp.id for stamp in stamps(page, field))
            yield page
        if ids == before:
            return
        before = ids
    message = f"{TIE_WALKS} readings of the rows with {field} {iso(value)} gave different rows each time: try again later"
    raise EndlessWalk(message, path=field)


def _names(cursor: str, value: datetime) -> bool:
    """Return whether a cursor says itself after which value the list goes on: it does not count rows, so none can be hidden."""
    return cursor.startswith(iso(value))


def _fitting(values: Sequence[datetime], anchor: datetime | None, until: datetime | None, field: str, step: timedelta) -> timedelta:
    """Return the step at which a page is what was asked for: the one given, else a second."""
    if not values:
        return step
    for wider in dict.fromkeys((step, SECOND)):
        try:
            check_order(values, field, wider)
            _check_bounds(values, anchor, until, field, wider)
        except NotAsAsked:
            if wider == SECOND:
                raise
        else:
            return wider
    return step


def _check_bounds(values: Sequence[datetime], anchor: datetime | None, until: datetime | None, field: str, step: timedelta) -> None:
    if anchor and values[0] < floor(anchor, step):
        raise NotAsAsked(f"rows asked for from {field} {iso(anchor)} start at {iso(values[0])}: the filter is ignored", path=field)
    if until and values[-1] > ceiling(until, SECOND) + 2 * step:
        raise NotAsAsked(f"rows asked for up to {field} {iso(until)} end at {iso(values[-1])}: the filter is ignored", path=field)


def _at(stamp: Stamp, field: str) -> datetime | None:
    return stamp.updated_at if field == "updatedAt" else stamp.created_at

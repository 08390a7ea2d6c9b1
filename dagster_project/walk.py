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
from dagster_project.maintainx.errors import EndlessWalk, ProtocolError

MILLISECOND = timedelta(milliseconds=1)  # the resolution of the API's instants
MOST_BARE_PAGES = 100  # pages in a row without a row that can be placed
TIE_WALKS = 10  # readings of a group of rows with one stamp until two agree

Read = Callable[[Sequence[tuple[str, str]]], Page]  # one request: the endpoint's own parameters and these
ReadAll = Callable[[Sequence[tuple[str, str]]], Iterator[Page]]  # the same, following the server's cursor


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


def anchored(read: Read, read_all: ReadAll, field: str, since: datetime | None, until: datetime | None = None) -> Iterator[Page]:
    """Yield the rows with `field` in [since, until] in ascending order, rows of equal value to a fixed point.

    Args:
        read: one request.
        read_all: the same request through all its pages; for groups of equal values alone.
        field: updatedAt or createdAt, which the source filters and sorts by.
        since: first value, inclusive; None reads from the beginning.
        until: last value, inclusive; None reads to the end.

    Raises:
        ProtocolError: the source did not sort or filter as asked.
    """
    anchor = since
    upper = [(f"{field}[lte]", iso_up(until))] if until else []
    while True:
        lower = [(f"{field}[gte]", iso(anchor))] if anchor else []
        values: list[datetime] = []
        for page in _until_placed(read, [*lower, *upper, ("sort", field)], field):
            values = [value for stamp in stamps(page, field) if (value := _at(stamp, field)) is not None]
            _check_order(values, anchor, field)
            yield page
            if page.next_cursor is None:
                return
        if iso(values[-1]) > iso(values[0]):
            anchor = values[-1]
        else:
            yield from _tied(read_all, field, values[0])
            anchor = _floor(values[0]) + MILLISECOND


def _until_placed(read: Read, params: list[tuple[str, str]], field: str) -> Iterator[Page]:
    """Yield the page, and by the server's cursor those after it while no row has a readable stamp to go on from."""
    page = read(params)
    for _ in range(MOST_BARE_PAGES):
        yield page
        if page.next_cursor is None or stamps(page, field):
            return
        page = read([*params, ("cursor", page.next_cursor)])
    raise EndlessWalk(f"{MOST_BARE_PAGES} pages in a row have no row with a readable {field}: the walk cannot go on", path=field)


def recent(read_all: ReadAll, stop_before: datetime | None) -> Iterator[Page]:
    """Yield pages sorted by -updatedAt until one ends in rows older than `stop_before`."""
    for page in read_all([]):
        yield page
        values = [stamp.updated_at for stamp in stamps(page, "updatedAt") if stamp.updated_at]
        if any(later > earlier for earlier, later in pairwise(values)):
            raise ProtocolError("rows asked for in descending order of updatedAt came in another order", path="updatedAt")
        if stop_before and values and values[-1] < stop_before:
            return


def slices(first: datetime, last: datetime, count: int) -> list[Slice]:
    """Return `count` disjoint parts of [first, last] that together hold every millisecond of it."""
    start = _floor(first)
    steps = max(1, int((last - start) / MILLISECOND) // count + 1)
    found: list[Slice] = []
    while start <= last:
        end = min(start + (steps - 1) * MILLISECOND, last)
        found.append(Slice(f"{iso(start)}/{iso(end)}", start, end, start))
        start = end + MILLISECOND
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


def iso_up(instant: datetime) -> str:
    """Return an instant as the API writes it, rounded up to the millisecond: an upper bound must not cut finer stamps off."""
    return iso(instant + MILLISECOND - timedelta(microseconds=1))


def _floor(instant: datetime) -> datetime:
    return instant - timedelta(microseconds=instant.microsecond % 1000)


def _tied(read_all: ReadAll, field: str, value: datetime) -> Iterator[Page]:
    """Yield the rows stamped in the millisecond of `value` until two readings give the same ids: then none was skipped."""
    bounds = [(f"{field}[gte]", iso(value)), (f"{field}[lte]", iso(_floor(value) + MILLISECOND)), ("sort", field)]
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


def _check_order(values: Sequence[datetime], anchor: datetime | None, field: str) -> None:
    if any(later < earlier for earlier, later in pairwise(values)):
        raise ProtocolError(f"rows asked for in ascending order of {field} came in another order", path=field)
    if anchor and values and values[0] < anchor - MILLISECOND:
        raise ProtocolError(f"rows asked for from {field} {iso(anchor)} start at {iso(values[0])}: the filter is ignored", path=field)


def _at(stamp: Stamp, field: str) -> datetime | None:
    return stamp.updated_at if field == "updatedAt" else stamp.created_at

"""The first load of an endpoint with date filters: disjoint slices of createdAt, four at a time, each with a state of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dagster_project import walk
from dagster_project.failpoint import failpoint
from dagster_project.maintainx.client import Page
from dagster_project.visit import Visit, is_full
from dagster_project.walk import Slice
from dagster_project.warehouse.base import State

SLICES, SLICE_ROWS = 4, 5_000  # all read at a time; fewer where that makes them smaller than 25 pages


def load(visit: Visit) -> None:
    """Load everything once; an interrupted load goes on where it was.

    Raises:
        NotAsAsked: the source does not sort or filter by createdAt; what was stored stays.
    """
    visit.report.is_first_load = not any(visit.states)  # one that goes on where it was left has not seen every row
    parts = plan(visit) if visit.report.is_first_load else [part for state in visit.states.values() if (part := unread(state))]
    buffers: dict[str, list[Page]] = {part.name: [] for part in parts}
    for part, page in walk.side_by_side(parts, lambda part: pages_of(visit, part)):
        buffer = buffers[part.name]
        if page is not None:
            buffer.append(page)
        if page is None or is_full(buffer, 0.0, visit.warehouse.batch):
            visit.store(buffer, states=[state_of(visit, part, buffer, is_complete=page is None)])
            buffer.clear()


def conclude(visit: Visit) -> None:
    """End a first load: its slices are forgotten, the main state says from when on changes are to be read."""
    failpoint("sync.slices_done")
    visit.main = replace(visit.main, is_complete=True, run_id=visit.run.run_id)
    visit.warehouse.forget_slices(visit.run.organisation_id, visit.endpoint.table, visit.main)


def plan(visit: Visit) -> list[Slice]:
    """Look at both ends of the list: fix the shape and the first watermark, and return the slices that are left to read.

    What stands at the ends by createdAt is stored at once, rows without a createdAt too: no slice would show them.
    """
    newest = _newest(visit)
    stamps = [at.updated_at for page in newest for at in walk.stamps(page, "updatedAt") if at.updated_at]
    watermark = visit.capped(max(stamps, default=None))
    visit.main = replace(visit.main, watermark=watermark, is_complete=False, expands=visit.list.fallback, run_id=visit.run.run_id)
    visit.report.watermark_to = visit.main.watermark
    if newest[-1].next_cursor is None:  # all there is was read
        visit.store(newest, states=[visit.main])
        return []
    oldest, latest = (list(walk.placed(visit.list.one, [("sort", sort)], "createdAt")) for sort in ("createdAt", "-createdAt"))
    parts = between(_created(oldest[-1]), _created(latest[-1]), visit.list.step)
    visit.store([*oldest, *latest], states=[visit.main, *(state_of(visit, part, [], is_complete=False) for part in parts)])
    failpoint("sync.planned")
    return parts


def _newest(visit: Visit) -> list[Page]:
    """Return the pages down to the first readable updatedAt, in the shape that the list will be asked for from now on."""
    pages = list(walk.placed(visit.list.one, [("sort", "-updatedAt")], "updatedAt"))
    if visit.list.widen(pages[-1]):
        pages = list(walk.placed(visit.list.one, [("sort", "-updatedAt")], "updatedAt"))
    return pages


def _created(page: Page) -> list[datetime]:
    return [at.created_at for at in walk.stamps(page, "createdAt") if at.created_at]


def between(oldest: Sequence[datetime], latest: Sequence[datetime], step: timedelta = walk.MILLISECOND) -> list[Slice]:
    """Return the slices between the first page by createdAt and the last one; the pages themselves are read.

    Raises:
        NotAsAsked: the pages are not sorted as asked, so that they are not the ends.
    """
    if not oldest or not latest:  # no row has a createdAt: the pages on the way to one were all there is
        return []
    walk.check_order(oldest, "createdAt", step)
    walk.check_order(latest[::-1], "createdAt", step)
    first, last = oldest[-1], latest[-1]
    return walk.slices(first, last, slice_count(oldest, latest), step) if first <= last else []


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


def pages_of(visit: Visit, part: Slice) -> Iterator[Page]:
    """Yield the pages of one slice from where it was left."""
    return walk.anchored(visit.list.one, visit.list.all, "createdAt", part.anchor, part.end, visit.list.step)


def state_of(visit: Visit, part: Slice, pages: Sequence[Page], is_complete: bool) -> State:
    """Return how far a slice is read once `pages` are stored."""
    anchor = max((stamp for page in pages for stamp in _created(page)), default=part.anchor)
    return State(
        visit.run.organisation_id, visit.endpoint.table, part.name, anchor, part.start, part.end, is_complete, None, visit.run.run_id
    )


def unread(state: State) -> Slice | None:
    """Return what is left of a slice; None when it is complete, or no slice."""
    if not state.slice or state.is_complete or state.slice_from is None or state.slice_to is None:
        return None
    return Slice(state.slice, state.slice_from, state.slice_to, state.watermark or state.slice_from)

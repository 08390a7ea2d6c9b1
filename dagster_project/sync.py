"""Read what changed in one endpoint and append the new versions, batch by batch, each with its watermark."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from dagster_project import first_load, recheck, walk
from dagster_project.breakers import Breaker
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Endpoint, Walk
from dagster_project.visit import EndpointReport, Progress, Run, Visit, batches, endpoint_run, latest_of, nothing
from dagster_project.walk import NotAsAsked
from dagster_project.warehouse.base import Warehouse

MOST_READINGS = 4  # of a list that moves while it is read; the next run reads it again anyway
MANY_PAGES = 1_000  # of a first load: ten minutes at the API's limit
PAGES_AHEAD = 50  # read beyond the run's own instant: a source that writes faster than we read must not keep us for ever

__all__ = ["Breaker", "EndpointReport", "Run", "Visit", "batches", "endpoint_run", "sync"]


def sync(endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, progress: Progress = nothing) -> EndpointReport:
    """Read what changed since the watermark, less the overlap, and append the new versions.

    Running it twice changes nothing: a version is appended only when its content moved. An optional endpoint that the
    customer's plan lacks (403, 404) is reported as skipped. A list that does not sort or filter as asked is read whole
    instead, and the report's reason says so.

    Raises:
        MaintainXError: the source failed; what was committed stays, the watermark says how far it reaches.
        Breaker: too many rows broke the contract, or too many known rows are gone.
    """
    visit = Visit(endpoint, source, warehouse, run, progress)
    visit.unless_missing(lambda: read(visit))
    visit.unless_missing(lambda: mend(visit))
    return visit.finish()


def read(visit: Visit) -> None:
    """Read by the endpoint's walk; whole, when the source does not do what the walk needs."""
    walk_of = {Walk.WHOLE: whole, Walk.RECENT: recent, Walk.ANCHORED: by_date}[visit.endpoint.walk]
    try:
        walk_of(visit)
    except NotAsAsked as error:
        visit.distrust = error
        everything(visit)
        if not visit.main.is_complete:
            first_load.conclude(visit)


def mend(visit: Visit) -> None:
    """Read again the records whose payload was found damaged, wherever they stand in the list."""
    damaged = visit.warehouse.damaged(visit.endpoint.table, visit.run.organisation_id)
    if damaged:
        instants = {record_id: {created_at} if created_at else set() for record_id, created_at in damaged.items()}
        for pages in batches(recheck.pages_of(visit.list, visit.warehouse, instants), visit.warehouse.batch):
            visit.store(pages)


def by_date(visit: Visit) -> None:
    """Read what changed; the first time everything, and what changed since when that took long."""
    probed = visit.source.capabilities
    if False in (probed.is_sort_honoured, probed.is_filter_honoured):
        raise NotAsAsked("the probe found that lists are not sorted or filtered as asked", path=visit.endpoint.path)
    if not (visit.main.is_complete and visit.main.watermark):
        first_load.load(visit)
        first_load.conclude(visit)
        if visit.report.is_first_load and visit.list.pages_read < MANY_PAGES:
            return  # what changed meanwhile is as new as what changes now: both are the next run's
    changes(visit)


def changes(visit: Visit) -> None:
    """Walk up from the watermark less the overlap; each batch moves the watermark with it."""
    if visit.main.watermark is None:
        return
    since = visit.main.watermark - visit.endpoint.overlap
    pages = walk.anchored(visit.list.one, visit.list.all, "updatedAt", since, step=visit.list.step)
    for batch in batches(not_far_beyond(pages, visit.run.now), visit.warehouse.batch):
        visit.store(batch, moves_watermark=True)


def not_far_beyond(pages: Iterator[Page], now: datetime) -> Iterator[Page]:
    """Yield the pages of a walk by updatedAt, and few of those that are all later than `now`: the next run reads on there."""
    beyond = 0
    for page in pages:
        yield page
        first = next((at.updated_at for at in walk.stamps(page, "updatedAt") if at.updated_at), None)
        beyond += first is not None and first > now
        if beyond > PAGES_AHEAD:
            return


def recent(visit: Visit) -> None:
    """Read by -updatedAt down to the watermark less the overlap; the watermark moves at the end of the walk."""
    visit.report.is_first_load = visit.main.watermark is None
    stop = visit.main.watermark and visit.main.watermark - visit.endpoint.overlap
    newest = visit.main.watermark
    for pages in batches(walk.recent(visit.list.all, stop), visit.warehouse.batch):
        newest = latest_of(newest, visit.capped(visit.store(pages).largest_updated_at))
    visit.save(replace(visit.main, watermark=newest, is_complete=True, run_id=visit.run.run_id))


def whole(visit: Visit) -> None:
    """Read every row; what is known and absent is asked for, and buried when the source confirms it."""
    visit.report.is_first_load = not visit.main.is_complete
    everything(visit)
    visit.save(replace(visit.main, is_complete=True, run_id=visit.run.run_id))


def everything(visit: Visit) -> None:
    """Read the whole list; one of several pages again while it shows that it moved, until no reading finds a new record.

    A list that moves between two pages hides a row only where it shows another one twice, or where one was deleted: then
    a known record is absent that still exists, or the hidden one was never seen, and the next run finds it.
    """
    known, pages_before = visit.known_ids(), visit.list.pages_read
    has_moved = read_once(visit, known)
    is_paged = visit.list.pages_read - pages_before > len(visit.endpoint.variants)
    absent = visit.absent_of(known, visit.seen)
    long_hidden = visit.hidden.trusted
    gone = visit.bury(absent)
    has_moved = bool(set(absent) - set(gone) - visit.list.unanswered.keys() - long_hidden) or has_moved
    for _ in range(MOST_READINGS - 1):
        if not (has_moved and is_paged):
            return
        seen_before = len(visit.seen)
        read_once(visit, known)
        has_moved = len(visit.seen) > seen_before


def read_once(visit: Visit, known: set[int]) -> bool:
    """Read every page of the list once; return whether a record was shown twice."""
    ids, is_twice = set[int](), False
    for pages in batches(visit.list.every(), visit.warehouse.batch):
        if not ids:
            visit.check_company(known, pages)
        intake = visit.store(pages)
        is_twice = is_twice or bool(intake.counts.deduplicated) or not ids.isdisjoint(intake.seen_ids)
        ids |= intake.seen_ids
    return is_twice

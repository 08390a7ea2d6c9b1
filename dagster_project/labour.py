"""The labour sweep: time, costs and parts that are entered on an order without its updatedAt moving.

Every order at work is read again, and every order done in the last two weeks; what was entered later than that is found
by the reconciliation.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from dagster_project import walk
from dagster_project.failpoint import failpoint
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Endpoint
from dagster_project.visit import EndpointReport, Progress, Run, Visit, batches, nothing
from dagster_project.walk import NotAsAsked
from dagster_project.warehouse.base import Commit, State, Warehouse

TABLE = "work_orders"
KIND = "labour"  # in ops.endpoint_runs; in ops.state below the table's name
LIVE_STATUSES = ("OPEN", "IN_PROGRESS", "ON_HOLD")
DONE_DAYS = 14
MOST_UNDATED_PAGES = 25  # in a row, of done orders without a completedAt: where nulls come first, the dated ones may be far


class Completion(msgspec.Struct, rename="camel"):
    """When a row was done."""

    completed_at: Annotated[datetime, Meta(tz=True)] | None = None


_COMPLETION = msgspec.json.Decoder(Completion)


def is_due(warehouse: Warehouse, run: Run, every: timedelta) -> bool:
    """Return whether the last sweep is so long ago, by the source's clock; with room for a run that starts a little early."""
    state = warehouse.states(run.organisation_id, f"{TABLE}/{KIND}").get("")
    last = state.watermark if state else None
    return last is None or not timedelta(0) <= run.now - last < every * 0.95


def note(warehouse: Warehouse, run: Run) -> None:
    """Write that all labour was read in this run."""
    warehouse.commit(Commit(TABLE, states=[State(run.organisation_id, f"{TABLE}/{KIND}", watermark=run.now, run_id=run.run_id)]))


def sweep(endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run, progress: Progress = nothing) -> EndpointReport:
    """Read the orders whose labour may have changed, and append a version of each whose content did.

    Costs one request for 200 orders: those at work, and those done in the last 14 days. Where the list does not sort or
    filter as asked it is read whole.

    Raises:
        MaintainXError: the source failed; what was read stays, and the sweep is still due.
        Breaker: too many rows broke the contract.
    """
    visit = Visit(endpoint, source, warehouse, run, progress)
    visit.report.kind = KIND
    try:
        for pages in batches(chain(at_work(visit), recently_done(visit)), visit.warehouse.batch):
            visit.store(pages)
    except NotAsAsked as error:
        visit.distrust = error
        for pages in batches(visit.list.every(), visit.warehouse.batch):
            visit.store(pages)
    report = visit.finish()
    failpoint("labour.read")
    note(warehouse, run)
    return report


def at_work(visit: Visit) -> Iterator[Page]:
    """Yield the orders that are not closed."""
    return anchored(visit, [("statuses", status) for status in LIVE_STATUSES], "createdAt")


def recently_done(visit: Visit) -> Iterator[Page]:
    """Yield the orders done in the last two weeks, the latest first."""
    since, undated = visit.run.now - timedelta(days=DONE_DAYS), 0
    for page in visit.list.all([("statuses", "DONE"), ("sort", "-completedAt")]):
        yield page
        found = completions(page)
        if any(later > earlier for earlier, later in pairwise(found)):
            raise NotAsAsked("rows asked for in descending order of completedAt came in another order", path="completedAt")
        undated = 0 if found else undated + 1
        if undated == MOST_UNDATED_PAGES:
            visit.report.reason = f"{undated} pages of done orders without a completedAt: those done lately were not all swept"
        if undated == MOST_UNDATED_PAGES or (found and found[-1] < since):
            return


def completions(page: Page) -> list[datetime]:
    """Return when the page's rows were done; rows that do not say are left out."""
    found = []
    for raw in page.records:
        try:
            completed_at = _COMPLETION.decode(raw).completed_at
        except (msgspec.DecodeError, UnicodeDecodeError):  # the contract will refuse it
            continue
        if completed_at is not None:
            found.append(completed_at)
    return found


def anchored(
    visit: Visit, where: Sequence[tuple[str, str]], field: str, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Page]:
    """Yield the rows of one anchored walk whose every request also carries `where`.

    Raises:
        NotAsAsked: the source does not sort or filter as asked.
    """
    probed = visit.source.capabilities
    if False in (probed.is_sort_honoured, probed.is_filter_honoured):
        raise NotAsAsked("the probe found that lists are not sorted or filtered as asked", path=visit.endpoint.path)
    return walk.anchored(
        lambda params: visit.list.one([*where, *params]), lambda params: visit.list.all([*where, *params]), field, since, until,
        visit.list.step,
    )  # fmt: skip

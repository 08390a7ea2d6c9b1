"""Records whose page said less than the log: read again through their list, whose answer is the truth."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from dagster_project import absence, walk
from dagster_project.frames import records
from dagster_project.listing import Listing
from dagster_project.maintainx.client import Page
from dagster_project.maintainx.endpoints import Walk
from dagster_project.warehouse.base import Warehouse


def read_again(list_: Listing, warehouse: Warehouse, doubtful: Mapping[int, set[datetime]]) -> dict[int, bytes]:
    """Return those of the doubtful records that their list shows now, each as it showed it last.

    Args:
        list_: of the endpoint, in the shape of the reading.
        warehouse: knows where a record of a list without date filters stands.
        doubtful: by id, the instants at which the record may have been created.
    """
    found: dict[int, bytes] = {}
    for page in pages_of(list_, warehouse, doubtful):
        for raw in page.records:
            record_id = records.id_of(raw)
            if record_id is not None and record_id in doubtful:
                found[record_id] = raw
    return found


def pages_of(list_: Listing, warehouse: Warehouse, doubtful: Mapping[int, set[datetime]]) -> Iterator[Page]:
    """Yield the pages of the list that hold the records, when it still shows them."""
    if list_.endpoint.walk is Walk.ANCHORED:
        return by_creation(list_, sorted(set().union(*doubtful.values())))
    if list_.endpoint.relist_by:
        return absence.neighbours(list_, warehouse, sorted(doubtful))
    return list_.every()


def by_creation(list_: Listing, instants: list[datetime]) -> Iterator[Page]:
    """Yield the pages that hold the records created at some instants, ascending; what lies between them is leapt over."""
    while instants:
        for page in walk.anchored(list_.one, list_.all, "createdAt", instants[0], instants[-1], list_.step):
            yield page
            reached = max((at.created_at for at in walk.stamps(page, "createdAt") if at.created_at), default=instants[0])
            instants = [instant for instant in instants if instant >= reached]  # those at its end may go on on the next page
            if page.next_cursor and (not instants or instants[0] > reached):
                break
        else:
            return

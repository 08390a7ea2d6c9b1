"""What became of records that a complete reading did not show."""

from collections.abc import Iterator, Sequence
from functools import partial

from dagster_project.frames import records
from dagster_project.listing import Listing
from dagster_project.maintainx.client import Page
from dagster_project.maintainx.endpoints import Absence
from dagster_project.warehouse.base import Warehouse


def confirmed(list_: Listing, warehouse: Warehouse, absent: Sequence[int]) -> list[int]:
    """Return those of `absent` that the source says are gone: by GET, or by a second complete reading.

    A record of which the source will not tell is not among them; the listing notes it.
    """
    if not absent:
        return []
    endpoint = list_.endpoint
    if endpoint.absence is Absence.GET:
        return [record_id for record_id in absent if list_.about(record_id, partial(_is_absent, list_, record_id))]
    again = {records.id_of(raw) for page in neighbours(list_, warehouse, absent) for raw in page.records}
    return [record_id for record_id in absent if record_id not in again]


def _is_absent(list_: Listing, record_id: int) -> bool:
    return is_gone(list_.source.get(f"{list_.endpoint.path}/{record_id}"))


def neighbours(list_: Listing, warehouse: Warehouse, ids: Sequence[int]) -> Iterator[Page]:
    """Yield a reading of where the records of an endpoint without GET by id should stand."""
    if list_.endpoint.relist_by is None:
        yield from list_.every()
        return
    parameter, column = list_.endpoint.relist_by
    for owner in warehouse.column_of(list_.endpoint.table, list_.organisation_id, column, ids):
        yield from list_.all([(parameter, str(owner))])


def is_gone(answer: dict | None) -> bool:
    """Return whether a GET by id says that the record is deleted: 404, or a body that says so itself."""
    if answer is None:
        return True
    record = next((value for value in answer.values() if isinstance(value, dict)), answer) if len(answer) == 1 else answer
    return bool(record.get("deletedAt") or record.get("removedFromOrganization"))

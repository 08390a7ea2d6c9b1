"""Work orders as the oracle reads them: site, deadlines, closing instant, labour, plan and repair time of each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Any

from simulator.truth_calendar import duration_seconds, local_date, micros, midnight
from simulator.truth_history import Record, Seen
from simulator.truth_places import Place
from simulator.truth_sources import Sources

CLOSED = frozenset({"DONE", "CANCELED", "SKIPPED"})


@dataclass(frozen=True, slots=True)
class Due:
    """A due date: the instant after which the order is late, and the day it is due on the site's clock."""

    deadline: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Closing:
    """When an order was closed, and how that is known."""

    at: int
    basis: str  # completed: it says so; observed: it was seen open before; proxy: its last change


@dataclass(frozen=True, slots=True)
class Order:
    """One live work order, by its latest state and, where a field says so, its earlier ones."""

    id: int
    place: Place
    type: str | None
    status: str
    created_at: int
    created_on: date
    start_at: int | None
    completed_at: int | None  # only of a DONE order
    completed_on: date | None
    closing: Closing | None  # None: open
    due: Due | None
    original_due: Due | None  # of the first state that had one
    estimated_seconds: int | None
    planned_seconds: int | None  # the estimate, or the usual one of its like
    labour_seconds: int
    rca_seconds: int | None
    status_seconds: int | None
    history: Sequence[Seen]  # every state it was seen in, the present one last

    @property
    def site_id(self) -> str:
        """The site it belongs to."""
        return self.place.site_id

    @property
    def record(self) -> Record:
        """Its present state, as the list shows it."""
        return self.history[-1].record or {}

    @property
    def lead_seconds(self) -> int | None:
        """Whole seconds from created to completed; None if not completed, or completed before it was created."""
        if self.completed_at is None or self.completed_at < self.created_at:
            return None
        return duration_seconds(self.created_at, self.completed_at)


def orders(sources: Sources) -> list[Order]:
    """Return every order that is not deleted."""
    return OrderReader(sources).orders()


class OrderReader:
    """Reads the work orders of one organisation."""

    def __init__(self, sources: Sources) -> None:
        """Learn the usual estimates, and which repairs have a report."""
        self._time_zone, self._zones, self._places = sources.organisation.time_zone, sources.zones, sources.places
        self._assets = sources.latest("assets")
        self._histories = sources.histories("work_orders")
        latest = sources.latest("work_orders")
        self._usual_seconds = self._medians(latest.values())
        self._rca_seconds = rca_seconds(
            sources.latest("rca_reports").values(),
            {order_id: at for order_id, record in latest.items() if (at := completed_at(record)) is not None},
        )

    def orders(self) -> list[Order]:
        """Return every order that is not deleted."""
        return [self._order(history) for history in self._histories.values()]

    def _order(self, history: Sequence[Seen]) -> Order:
        record = history[-1].record or {}
        created, completed = micros(record["createdAt"]), completed_at(record)
        teams = self._places.teams_of(record.get("assignees") or ())
        place = self._places.place(record.get("locationId"), asset_id(record), created, teams)
        zone = self._zones[place.site_id]
        first_due = next((seen.record for seen in history if seen.record and seen.record.get("dueDate")), None)
        return Order(
            id=record["id"],
            place=place,
            type=record.get("type"),
            status=record["status"],
            created_at=created,
            created_on=local_date(created, zone),
            start_at=micros(record["startDate"]) if record.get("startDate") else None,
            completed_at=completed,
            completed_on=None if completed is None else local_date(completed, zone),
            closing=closing(history),
            due=due(record, self._time_zone, zone),
            original_due=due(first_due or {}, self._time_zone, zone),
            estimated_seconds=record.get("estimatedTime"),
            planned_seconds=self._planned_seconds(record),
            labour_seconds=sum(item.get("durationTotal") or 0 for item in record.get("timeItems") or ()),
            rca_seconds=self._rca_seconds.get(record["id"]),
            status_seconds=status_seconds(history),
            history=history,
        )

    def _asset(self, record: Record) -> Mapping[str, Any]:
        return self._assets.get(asset_id(record) or 0, {})

    def _kinds(self, record: Record) -> list[tuple[str | None, ...]]:
        """Return the groups whose median stands in for a missing estimate, nearest first."""
        order_type, labels = record.get("type"), self._asset(record).get("assetTypes")
        if order_type is None:
            return []
        return [(order_type, min(labels)), (order_type,)] if labels else [(order_type,)]

    def _medians(self, records: Iterable[Record]) -> dict[tuple[str | None, ...], int]:
        estimates: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
        for record in records:
            if record.get("estimatedTime") is not None:
                for kind in self._kinds(record):
                    estimates[kind].append(record["estimatedTime"])
        return {kind: int(median(values) // 1) for kind, values in estimates.items()}

    def _planned_seconds(self, record: Record) -> int | None:
        if record.get("estimatedTime") is not None:
            return record["estimatedTime"]
        return next((self._usual_seconds[kind] for kind in self._kinds(record) if kind in self._usual_seconds), None)


def asset_id(record: Record) -> int | None:
    """Return the asset of an order: its `assetId`, else the id of its expanded asset."""
    return record.get("assetId") or (record.get("asset") or {}).get("id")


def completed_at(record: Record) -> int | None:
    """Return when an order was completed; None unless it is DONE and says when."""
    return micros(record["completedAt"]) if record["status"] == "DONE" and record.get("completedAt") else None


def due(record: Record, organisation_zone: str, site_zone: str) -> Due | None:
    """Return the due date of a state of an order.

    A full day is authored on the organisation's clock: its date there names the day, and the order is late from the midnight
    that ends this day on the site's clock.
    """
    if not record.get("dueDate"):
        return None
    instant = micros(record["dueDate"])
    if not record.get("dueDateIsFullDay"):
        return Due(instant, local_date(instant, site_zone))
    day = local_date(instant, organisation_zone)
    deadline = midnight(day_after(day), site_zone)
    return Due(deadline, local_date(deadline - 1, site_zone))


def day_after(day: date) -> date:
    """Return the next calendar day."""
    return date.fromordinal(day.toordinal() + 1)


def closing(history: Sequence[Seen]) -> Closing | None:
    """Return when the order was closed, or None while it is open.

    A DONE order says when (`completed`). A cancelled or skipped one does not: it closed at the first state of its present run of
    closed states if it was seen open before that (`observed`), else we only know its last change (`proxy`).
    """
    record = history[-1].record or {}
    if record["status"] not in CLOSED:
        return None
    if (completed := completed_at(record)) is not None:
        return Closing(completed, "completed")
    first = len(history)
    while first and (history[first - 1].record or {})["status"] in CLOSED:
        first -= 1
    seen = history[first] if first else history[-1]
    return Closing(_changed_at(seen), "observed" if first else "proxy")


def status_seconds(history: Sequence[Seen]) -> int | None:
    """Return the seconds in progress, holds left out, if all of the repair was observed; else None.

    Observed means: first seen OPEN, every change of status pinned to an hour, and some time in progress. A piece runs from the state
    that starts it to the next state of another status: its `completedAt` if that is DONE, else its change.
    """
    changes = [
        seen for before, seen in zip([None, *history[:-1]], history, strict=True) if before is None or _status(before) != _status(seen)
    ]
    if _status(changes[0]) != "OPEN" or not all(seen.is_pinned for seen in changes[1:]):
        return None
    pieces = (duration_seconds(_changed_at(start), _ends_at(end)) for start, end in pairwise(changes) if _status(start) == "IN_PROGRESS")
    return sum(max(seconds, 0) for seconds in pieces) or None


def rca_seconds(reports: Iterable[Record], completed: Mapping[int, int]) -> dict[int, int]:
    """Return the repair seconds of each order that root-cause reports tell.

    A report counts once, for the order among its own that was completed first (of equal instants, the smaller id).

    Args:
        reports: the live reports.
        completed: when each completed order was, of any type.
    """
    found: dict[int, int] = defaultdict(int)
    for report in reports:
        orders = [order_id for order_id in report.get("workOrderIds") or () if order_id in completed]
        seconds = report.get("repairTime") or 0
        if orders and seconds > 0 and not report.get("archivedAt"):
            found[min(orders, key=lambda order_id: (completed[order_id], order_id))] += seconds
    return dict(found)


def _status(seen: Seen) -> str:
    return (seen.record or {})["status"]


def _changed_at(seen: Seen) -> int:
    if seen.changed_at is None:
        raise ValueError(f"a work order without updatedAt: {seen.record}")
    return seen.changed_at


def _ends_at(seen: Seen) -> int:
    completed = completed_at(seen.record or {})
    return _changed_at(seen) if completed is None else completed

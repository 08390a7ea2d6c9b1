"""What the oracle says of work requests: how many, how many were rejected, how long they waited for a decision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from simulator.truth_calendar import duration_seconds, local_date, micros
from simulator.truth_cells import Cell, Scope, Sheet
from simulator.truth_history import Record, Seen
from simulator.truth_kpis import Figure, count, hours, median_hours
from simulator.truth_places import Place
from simulator.truth_sources import Readers, Sources

DECIDED = frozenset({"APPROVED", "REJECTED", "DONE"})


@dataclass(frozen=True, slots=True)
class Request:
    """One live work request."""

    place: Place
    created_on: date
    status: str
    triage_seconds: int | None  # None: it waits, or nothing tells when it was decided

    @property
    def is_decided(self) -> bool:
        """Whether somebody approved or rejected it."""
        return self.status in DECIDED


def requests(sources: Sources) -> list[Request]:
    """Return the work requests, each by its own location, else by where its asset stood when it was made."""
    orders = sources.latest("work_orders")
    return [_request(sources, history, orders.get((history[-1].record or {}).get("workOrderId") or 0)) for history in _histories(sources)]


def _histories(sources: Sources) -> list[list[Seen]]:
    return list(sources.histories("work_requests").values())


def _request(sources: Sources, history: Sequence[Seen], order: Record | None) -> Request:
    record = history[-1].record or {}
    created = micros(record["createdAt"])
    place = sources.places.place(record.get("locationId"), record.get("assetId"), created)
    decided = decided_at(history, micros(order["createdAt"]) if order else None)
    triage = None if decided is None or decided < created else duration_seconds(created, decided)
    return Request(place, local_date(created, sources.zones[place.site_id]), record["requestStatus"], triage)


def decided_at(history: Sequence[Seen], order_created_at: int | None) -> int | None:
    """Return when a request was decided: when its order came to be, else the stamp of the state that first showed the decision.

    A request that was done when it was first seen decided, or approved when it was first seen at all, does not tell.
    """
    record = history[-1].record or {}
    if record["requestStatus"] not in DECIDED:
        return None
    if order_created_at is not None and order_created_at >= micros(record["createdAt"]):
        return order_created_at
    waiting = [position for position, seen in enumerate(history) if (seen.record or {})["requestStatus"] not in DECIDED]
    first = history[waiting[-1] + 1 if waiting else 0]
    decision = (first.record or {})["requestStatus"]
    tells = decision == "REJECTED" or (decision == "APPROVED" and bool(waiting))
    return first.changed_at if tells else None


def lay_out_requests(sheet: Sheet) -> None:
    """Put each request into the period in which it was made."""
    for request in sheet.records.get("requests", ()):
        if cell := sheet.at(request.created_on):
            cell.more["requests"].append(request)


def rejection_rate(cell: Cell, _: Scope) -> Figure:
    """Rejected among decided requests."""
    made: Sequence[Request] = cell.more.get("requests", [])
    if not made:
        return Figure(reason="nothing_requested")
    decided = [request for request in made if request.is_decided]
    coverage = len(decided) / len(made)
    if not decided:
        return Figure(coverage_share=coverage, reason="nothing_decided", records=len(made))
    rejected = sum(request.status == "REJECTED" for request in decided)
    return Figure(float(rejected), float(len(decided)), len(decided), coverage, records=len(made))


def triage_hours(cell: Cell, _: Scope) -> Figure:
    """Mean hours from a request to its decision."""
    made: Sequence[Request] = cell.more.get("requests", [])
    if not made:
        return Figure(reason="nothing_requested")
    decided = [request for request in made if request.is_decided]
    if not decided:
        return Figure(reason="nothing_decided", records=len(made))
    seconds = _waits(decided)
    known = Figure(n=len(seconds), coverage_share=len(seconds) / len(decided), records=len(made))
    if not seconds:
        return replace(known, reason="no_decision_instants")
    return replace(known, numerator=hours(sum(seconds)), denominator=float(len(seconds)), basis="decisions")


def _waits(found: Sequence[Request]) -> list[int]:
    return [request.triage_seconds for request in found if request.triage_seconds is not None]


READERS: Readers = {"requests": requests}
LAYOUTS = (lay_out_requests,)
KPIS: dict[str, Callable[[Cell, Scope], Figure]] = {
    "requests_created": lambda cell, _: count(len(cell.more.get("requests", []))),
    "request_rejection_rate": rejection_rate,
    "request_triage_hours": triage_hours,
    "request_triage_hours_median": lambda cell, _: median_hours(_waits(cell.more.get("requests", [])), "nothing_decided"),
}
SCOPES = dict.fromkeys(KPIS, ("location_subtree", "asset_type"))

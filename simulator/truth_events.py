"""What happened to work orders, as the oracle reads it off the states that readings saw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from simulator.truth_calendar import micros
from simulator.truth_history import Key, Record, Seen

OPEN = frozenset({"OPEN", "IN_PROGRESS", "ON_HOLD"})
ENDS = {"DONE": "completed", "CANCELED": "canceled", "SKIPPED": "skipped"}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an order; instants in microseconds since 1970."""

    organisation_id: int
    work_order_id: int
    event: str
    before: str | int | None  # status, priority, assignees, due date or completion
    after: str | int | None
    occurred_at: int | None  # when the record says so itself
    occurred_after: int | None  # else between two readings
    occurred_by: int | None


Change = tuple[str, str | int | None, str | int | None, int | None]  # event, before, after, occurred_at


def events(states: Mapping[Key, Sequence[Seen]], sync_instants: Sequence[datetime]) -> list[Event]:
    """Return every event of every work order, order by order.

    Args:
        states: what readings saw, as `versions_of` tells; a deletion ends a history.
        sync_instants: when everything was read, ascending.
    """
    instants = [micros(instant) for instant in sync_instants]
    orders = ((key, history) for key, history in states.items() if key[1] == "work_orders")
    found = [event for (organisation, _, order), history in orders for event in _events(organisation, order, history, instants)]
    return sorted(found, key=lambda event: (event.organisation_id, event.work_order_id, repr(event)))


def _events(organisation: int, order: int, history: Sequence[Seen], instants: Sequence[int]) -> Iterable[Event]:
    first, seen_at = history[0].record or {}, micros(history[0].seen_at)
    for change in _first(first):
        yield Event(organisation, order, *change[:3], *_when(change, micros(first["createdAt"]), seen_at))
    for before, now in pairwise(history):
        after, by = _interval(before, now, instants)
        for change in _changes(before.record or {}, now.record):
            yield Event(organisation, order, *change[:3], *_when(change, after, by))


def _first(record: Record) -> Iterable[Change]:
    yield "created", None, record["status"], micros(record["createdAt"])
    if record["status"] in ENDS:
        yield ENDS[record["status"]], None, record["status"], _completed(record)


def _changes(before: Record, now: Record | None) -> Iterable[Change]:
    if now is None:
        yield "deleted", None, None, None
        return
    if before["status"] != now["status"]:
        yield _status_event(before["status"], now["status"]), before["status"], now["status"], _completed(now)
    elif now["status"] == "DONE" and _completed(before) != _completed(now):
        yield "completion_moved", _completed(before), _completed(now), None
    if (one := _due(before)) != (other := _due(now)):
        yield _due_event(one, other), one, other, None
    if (people := _assignees(before)) != _assignees(now):
        yield "reassigned", people, _assignees(now), None
    if before.get("priority") != now.get("priority"):
        yield "priority_changed", before.get("priority"), now.get("priority"), None


def _status_event(before: str, now: str) -> str:
    if now in ENDS:
        return ENDS[now]
    if before not in OPEN:
        return "reopened"
    return {"ON_HOLD": "held"}.get(now, "resumed" if before == "ON_HOLD" else "status_changed")


def _due_event(before: int | None, now: int | None) -> str:
    if before is None or now is None:
        return "due_date_set" if before is None else "due_date_removed"
    return "due_date_pushed" if now > before else "due_date_pulled"


def _interval(before: Seen, now: Seen, instants: Sequence[int]) -> tuple[int, int]:
    """Return the last reading that would have shown the change and did not, and the one that did."""
    by, known = micros(now.seen_at), micros(before.seen_at)
    previous = max(instant for instant in instants if instant < by)
    return (previous if now.changed_at is not None and now.changed_at > previous else known), by


def _when(change: Change, after: int, by: int) -> tuple[int | None, int | None, int | None]:
    return (None, after, by) if change[3] is None else (change[3], None, None)


def _completed(record: Record) -> int | None:
    return micros(record["completedAt"]) if record["status"] == "DONE" and record.get("completedAt") else None


def _due(record: Record) -> int | None:
    return micros(record["dueDate"]) if record.get("dueDate") else None


def _assignees(record: Record) -> str:
    return ", ".join(sorted(f"{each['type']} {each['id']}" for each in record.get("assignees") or ())) or "nobody"

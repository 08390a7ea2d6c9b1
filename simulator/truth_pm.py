"""What the oracle says of preventive work: four rules of compliance, skips, pushes, what is overdue, intervals, planned hours.

Where the definition of a KPI leaves room, this is the reading chosen:

- A month or year of recurrence is the one that ends on the present due date (on the day of creation without one); a week with several
  weekdays is shared out among them.
- A push is a deadline later than that of the state before it that had one. What was pushed and pulled back was pushed.
- An actual interval runs from the completion of the nearest order before it in the chain that is DONE; a predecessor has a smaller id.
- Lists name no parent of an order: yield has no value, and only PREVENTIVE orders are proactive.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from simulator.truth_calendar import DAY, SECOND, duration_seconds, local_date, micros
from simulator.truth_cells import Cell, Scope, Sheet
from simulator.truth_history import Record, Seen
from simulator.truth_kpis import Figure, count, covered, hours, share
from simulator.truth_orders import Order, asset_id, completed_at, due
from simulator.truth_places import Place
from simulator.truth_sources import Readers, Sources

LONGEST = 1200  # occurrences further apart than so many days, weeks, months or years are a mistake
SHIFT = 8 * 3600
Grace = Callable[[Order], int | None]  # microseconds after the deadline; None: the rule cannot judge the order


@dataclass(frozen=True, slots=True)
class Done:
    """One completed preventive order, and whether it kept its interval."""

    place: Place
    completed_on: date
    is_within: bool | None  # None: it has no interval or no predecessor


@dataclass(frozen=True, slots=True)
class Pushed:
    """One preventive order whose deadline moved to a later instant."""

    place: Place
    id: int


def place_of(sources: Sources, record: Record) -> Place:
    """Return where an order belongs."""
    created = micros(record["createdAt"])
    return sources.places.place(record.get("locationId"), asset_id(record), created, sources.places.teams_of(record.get("assignees") or ()))


def recurrence_seconds(record: Record, on: date) -> int | None:
    """Return the seconds between two occurrences, months and years ending on a day; None where the order does not say."""
    info = record.get("recurrenceInfo") or {}
    kind, interval, weekdays = info.get("type"), info.get("interval"), len(set(info.get("days") or ())) or 1
    number = 1 if interval is None else interval
    if kind == "PERIODICALLY":
        return interval if number >= 1 else None
    if not 1 <= number <= LONGEST:
        return None
    lengths: Mapping[str | None, Callable[[], int]] = {
        "DAILY": lambda: number * 86_400,
        "WEEKLY": lambda: number * 604_800 // weekdays,
        "MONTHLY": lambda: (on - months_before(on, number)).days * 86_400,
        "YEARLY": lambda: (on - months_before(on, 12 * number)).days * 86_400,
    }
    return lengths[kind]() if kind in lengths else None


def months_before(day: date, months: int) -> date:
    """Return the same day some months earlier, or the last one of a month without it."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def interval_of(order: Order) -> int | None:
    """Return the planned seconds between an order and the one before it."""
    return recurrence_seconds(order.record, order.due.due_on if order.due else order.created_on)


def done(sources: Sources) -> list[Done]:
    """Return the completed preventive orders."""
    preventive = {key: record for key, record in sources.latest("work_orders").items() if record.get("type") == "PREVENTIVE"}
    finished = {key: at for key, record in preventive.items() if (at := completed_at(record)) is not None}
    return [_done(sources, preventive, finished, key) for key in finished]


def _done(sources: Sources, preventive: Mapping[int, Record], finished: Mapping[int, int], key: int) -> Done:
    record = preventive[key]
    place = place_of(sources, record)
    zone = sources.zones[place.site_id]
    own_due = due(record, sources.organisation.time_zone, zone)
    interval = recurrence_seconds(record, own_due.due_on if own_due else local_date(micros(record["createdAt"]), zone))
    before = _predecessor(preventive, finished, key)
    within = None if before is None or interval is None else _is_within(duration_seconds(finished[before], finished[key]), interval)
    return Done(place, local_date(finished[key], zone), within)


def _is_within(actual: int, interval: int) -> bool:
    return abs(actual - interval) <= max(interval // 10, SHIFT)


def _predecessor(preventive: Mapping[int, Record], finished: Mapping[int, int], key: int) -> int | None:
    while (before := preventive[key].get("previousId")) is not None and before < key and before in preventive:
        if before in finished:
            return before
        key = before
    return None


def pushed(sources: Sources) -> list[Pushed]:
    """Return the preventive orders that were pushed."""
    found = []
    for key, history in sources.histories("work_orders").items():
        record = history[-1].record or {}
        if record.get("type") == "PREVENTIVE":
            place = place_of(sources, record)
            if _was_pushed(history, sources.organisation.time_zone, sources.zones[place.site_id]):
                found.append(Pushed(place, key))
    return found


def _was_pushed(history: Iterable[Seen], organisation_zone: str, site_zone: str) -> bool:
    dates = [found.deadline for seen in history if (found := due(seen.record or {}, organisation_zone, site_zone))]
    return any(later > earlier for earlier, later in pairwise(dates))


def lay_out_done(sheet: Sheet) -> None:
    """Put each completed preventive order into the period of its completion."""
    for each in sheet.records.get("pm_done", ()):
        if cell := sheet.at(each.completed_on):
            cell.more["pm_done"].append(each)


def lay_out_young(sheet: Sheet) -> None:
    """Mark the periods that ended less than 7 days ago."""
    for span, cell in zip(sheet.spans, sheet.cells, strict=True):
        if span.end_at + 7 * DAY > sheet.as_of:
            cell.more["young"].append(span)


def a_tenth(order: Order) -> int | None:
    """Return the grace of 10 % of the interval."""
    interval = interval_of(order)
    return None if interval is None else interval // 10 * SECOND


def a_fifth(order: Order) -> int | None:
    """Return the grace of 20 % of the interval, 28 days at most."""
    interval = interval_of(order)
    return None if interval is None else min(interval // 5 * SECOND, 28 * DAY)


def compliance(cell: Cell, scope: Scope, grace: Grace) -> Figure:
    """Share of the PMs due, by their original due date, that were completed by it and the grace; those without a grace are out."""
    graces = [(order, grace(order)) for order in cell.pm_due if order.status != "CANCELED"]
    counted = [
        (order, order.original_due.deadline + extra)
        for order, extra in graces
        if extra is not None and order.original_due and order.original_due.deadline + extra <= scope.as_of
    ]
    met = sum(order.completed_at is not None and order.completed_at <= deadline for order, deadline in counted)
    judged = sum(order.original_due is not None and grace(order) is not None for order in scope.preventive)
    return share(met, len(counted), "nothing_due", covered(judged, len(scope.preventive)))


def rate(cell: Cell, scope: Scope, is_meant: Callable[[Order], bool]) -> Figure:
    """Share of the PMs due, cancelled ones included, of which something holds."""
    counted = [order for order in cell.pm_due if order.original_due and order.original_due.deadline <= scope.as_of]
    return share(sum(map(is_meant, counted)), len(counted), "nothing_due")


def due_push_rate(cell: Cell, scope: Scope) -> Figure:
    """Share of the PMs due that were pushed."""
    ids = {each.id for each in scope.records.get("pushed", ())}
    return rate(cell, scope, lambda order: order.id in ids)


def interval_compliance(cell: Cell, _: Scope) -> Figure:
    """Share of the PMs completed that kept a tenth of their interval."""
    completed: Sequence[Done] = cell.more.get("pm_done", [])
    if not completed:
        return Figure(reason="nothing_completed")
    judged = [each.is_within for each in completed if each.is_within is not None]
    coverage = len(judged) / len(completed)
    return replace(share(sum(judged), len(judged), "no_interval_known", coverage), records=len(completed))


def pm_yield(cell: Cell, _: Scope) -> Figure:
    """Nothing tells what was found by a PM: lists name no parent."""
    completed = sum(order.type == "PREVENTIVE" for order in cell.completed)
    return Figure(n=completed, reason="parent_not_in_list" if completed else "nothing_completed")


def active(cell: Cell) -> list[tuple[Order, int]]:
    """Return the PMs that were released and open at the end of the period, with that instant."""
    return [(order, at) for order, at in cell.backlog if order.type == "PREVENTIVE" and (order.start_at is None or order.start_at <= at)]


def overdue(cell: Cell, over: int, most: int | None = None) -> int:
    """Return how many active PMs were more than some days past their original deadline, and at most some others."""
    ages = [at - order.original_due.deadline for order, at in active(cell) if order.original_due]
    return sum(age > over * DAY and (most is None or age <= most * DAY) for age in ages)


def overdue_share(cell: Cell, _: Scope) -> Figure:
    """Share of the active PMs with a due date that were past it."""
    standing = active(cell)
    dated = sum(order.original_due is not None for order, _ in standing)
    return replace(share(overdue(cell, 0), dated, "no_active_pms", covered(dated, len(standing))), records=len(standing))


def overdue_count(over: int, most: int | None = None) -> Callable[[Cell, Scope], Figure]:
    """Return the KPI that counts the active PMs of one bucket."""
    return lambda cell, _: replace(count(overdue(cell, over, most)), records=len(active(cell)))


def is_preventive(order: Order) -> bool:
    """Whether it is PREVENTIVE."""
    return order.type == "PREVENTIVE"


def is_planned(order: Order) -> bool:
    """Whether it is PREVENTIVE, or has an estimate, a start and parts."""
    return is_preventive(order) or (order.estimated_seconds is not None and order.start_at is not None and bool(order.record.get("parts")))


def hours_share(is_meant: Callable[[Order], bool], basis: str | None = None) -> Callable[[Cell, Scope], Figure]:
    """Return the KPI that is the share of logged hours on completed orders of which something holds."""

    def define(cell: Cell, _: Scope) -> Figure:
        if not cell.completed:
            return Figure(reason="nothing_completed")
        logged = [order for order in cell.completed if order.labour_seconds > 0]
        known = Figure(n=len(logged), coverage_share=len(logged) / len(cell.completed), records=len(cell.completed))
        if not logged:
            return replace(known, reason="no_labour_logged")
        meant = sum(order.labour_seconds for order in logged if is_meant(order))
        return replace(known, numerator=hours(meant), denominator=hours(sum(order.labour_seconds for order in logged)), basis=basis)

    return define


def completion_rate(cell: Cell, _: Scope) -> Figure:
    """Done among done and OPEN, of the orders created."""
    statuses = [order.status for order in cell.created]
    return share(statuses.count("DONE"), statuses.count("DONE") + statuses.count("OPEN"), "nothing_created")


def completion_within_7_days(cell: Cell, _: Scope) -> Figure:
    """Share of the orders created that were completed within 168 hours, cancelled ones left out, once all have had the time."""
    cohort = [order for order in cell.created if order.status != "CANCELED"]
    if cell.more.get("young"):
        return Figure(n=len(cohort), reason="cohort_not_mature")
    within = sum(order.completed_at is not None and order.completed_at <= order.created_at + 7 * DAY for order in cohort)
    return share(within, len(cohort), "nothing_created")


READERS: Readers = {"pm_done": done, "pushed": pushed}
LAYOUTS = (lay_out_done, lay_out_young)
KPIS: dict[str, Callable[[Cell, Scope], Figure]] = {
    "pm_compliance_10_percent": lambda cell, scope: compliance(cell, scope, a_tenth),
    "pm_compliance_20_percent": lambda cell, scope: compliance(cell, scope, a_fifth),
    "pm_skip_rate": lambda cell, scope: rate(cell, scope, lambda order: order.status == "SKIPPED"),
    "pm_cancel_rate": lambda cell, scope: rate(cell, scope, lambda order: order.status == "CANCELED"),
    "pm_due_push_rate": due_push_rate,
    "pm_overdue_share": overdue_share,
    "pm_overdue_1_7_days_count": overdue_count(0, 7),
    "pm_overdue_8_30_days_count": overdue_count(7, 30),
    "pm_overdue_31_90_days_count": overdue_count(30, 90),
    "pm_overdue_over_90_days_count": overdue_count(90),
    "pm_interval_compliance": interval_compliance,
    "pm_yield": pm_yield,
    "pm_hours_share": hours_share(is_preventive),
    "planned_hours_share": hours_share(is_planned, "order_fields"),
    "unplanned_hours_share": hours_share(lambda order: not is_planned(order), "order_fields"),
    "proactive_hours_share": hours_share(is_preventive, "preventive_only"),
    "completion_rate": completion_rate,
    "completion_within_7_days": completion_within_7_days,
}

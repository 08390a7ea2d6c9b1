"""Whether work stayed done, and was done when it was scheduled, as the oracle sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from simulator.truth_backlog import known_on
from simulator.truth_calendar import local_date, micros, midnight, period_start
from simulator.truth_cells import Cell, Scope, Sheet
from simulator.truth_history import Record, Seen
from simulator.truth_kpis import Figure, covered, hours, share
from simulator.truth_orders import CLOSED, Order, due, orders
from simulator.truth_places import Place
from simulator.truth_sources import Sources

WEEK = timedelta(days=7)
FREEZE = timedelta(days=-3, hours=18)  # from the Monday of the week: the Friday before, 18:00


@dataclass(frozen=True, slots=True)
class Completion:
    """A time at which an order was seen DONE; undone if it was seen otherwise later."""

    place: Place
    completed_on: date
    is_undone: bool


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An order that stood in the schedule of a week when it was frozen."""

    place: Place
    week: date  # its Monday
    is_done: bool  # in that week
    planned_seconds: int | None
    has_estimate: bool


def completions(order: Order, time_zone: str) -> list[Completion]:
    """Return the completions of an order: the last state of each run of DONE ones."""
    states: list[tuple[Seen, Seen | None]] = [*pairwise(order.history), (order.history[-1], None)]
    ended = [(seen, after) for seen, after in states if _status(seen) == "DONE" and (after is None or _status(after) != "DONE")]
    return [Completion(order.place, local_date(_completed(seen), time_zone), after is not None) for seen, after in ended]


def schedules(order: Order, organisation_zone: str, site_zone: str, as_of: int) -> list[Scheduled]:
    """Return the weeks that are over for which an order was scheduled at their freeze; none of a cancelled order."""
    found = []
    for seen, after in zip(order.history, [*order.history[1:], None], strict=True):
        record = seen.record or {}
        day = _scheduled_on(record, organisation_zone, site_zone)
        if day is None or record["status"] in CLOSED or order.status == "CANCELED":
            continue
        week = period_start(day, "week")
        frozen_at = micros(_freeze(week, site_zone))
        is_in_force = micros(seen.seen_at) <= frozen_at and (after is None or micros(after.seen_at) > frozen_at)
        if is_in_force and midnight(week + WEEK, site_zone) <= as_of:
            is_done = order.completed_on is not None and week <= order.completed_on < week + WEEK
            found.append(Scheduled(order.place, week, is_done, order.planned_seconds, order.estimated_seconds is not None))
    return found


def _scheduled_on(record: Record, organisation_zone: str, site_zone: str) -> date | None:
    """Return the day an order is due, or else begins."""
    if deadline := due(record, organisation_zone, site_zone):
        return deadline.due_on
    return local_date(micros(record["startDate"]), site_zone) if record.get("startDate") else None


def _freeze(week: date, zone: str) -> datetime:
    return (datetime.combine(week, time()) + FREEZE).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _status(seen: Seen) -> str:
    return (seen.record or {})["status"]


def _completed(seen: Seen) -> int:
    record = seen.record or {}
    return micros(record["completedAt"]) if record.get("completedAt") else seen.changed_at or 0


def lay_out_completions(sheet: Sheet) -> None:
    """Put each completion into the period of its day."""
    for order in sheet.records.get("orders", ()):
        for completion in completions(order, sheet.site.time_zone):
            if cell := sheet.at(completion.completed_on):
                cell.more["completions"].append(completion)


def lay_out_schedules(sheet: Sheet) -> None:
    """Put what was scheduled for a week that is over into the period of its Monday, and the hours the crew had."""
    for each in sheet.records.get("scheduled", ()):
        if cell := sheet.at(each.week):
            cell.more["scheduled"].append(each)
    if not sheet.spans:
        return
    week = period_start(sheet.spans[0].start_on, "week")
    while midnight(week + WEEK, sheet.site.time_zone) <= sheet.as_of:
        if cell := sheet.at(week):
            cell.more["crew_seconds"].append(round((sheet.site.crew_hours_per_week or 0) * 3600))
        week += WEEK


def scheduled(sources: Sources) -> list[Scheduled]:
    """Return what was scheduled for each week that is over."""
    zone = sources.organisation.time_zone
    return [each for order in orders(sources) for each in schedules(order, zone, sources.zones[order.site_id], sources.as_of)]


def reopen_rate(cell: Cell, scope: Scope) -> Figure:
    """Share of the completions that did not stand."""
    found = cell.more["completions"]
    if cell.more["days"][0][0] <= known_on(scope):
        return Figure(reason="not_observed_yet", records=len(found))
    return share(sum(each.is_undone for each in found), len(found), "nothing_completed")


def schedule_compliance(cell: Cell, scope: Scope) -> Figure:
    """Share of what was scheduled that was done in its week."""
    found = cell.more["scheduled"]
    if not is_frozen(cell, scope):
        return Figure(reason="not_observed_yet", records=len(found))
    return share(sum(each.is_done for each in found), len(found), "nothing_scheduled")


def schedule_compliance_hours(cell: Cell, scope: Scope) -> Figure:
    """Planned hours that were done in their week, by the hours the crew had."""
    found, crew_seconds = cell.more["scheduled"], sum(cell.more["crew_seconds"])
    if not is_frozen(cell, scope):
        return Figure(reason="not_observed_yet")
    planned = [each for each in found if each.planned_seconds is not None]
    coverage = covered(sum(each.has_estimate for each in found), len(found))
    reason = None if scope.crew_hours_per_week else "no_crew_hours"
    reason = reason or (None if crew_seconds else "no_week_over") or ("no_estimates" if found and not planned else None)
    if reason:
        return Figure(n=len(planned), coverage_share=coverage, reason=reason)
    done = sum(each.planned_seconds for each in planned if each.is_done)
    return Figure(hours(done), hours(crew_seconds), len(planned), coverage)


def is_frozen(cell: Cell, scope: Scope) -> bool:
    """Whether every week of the period was frozen when something was known: from the day before the first Friday."""
    return cell.more["days"][0][0] - timedelta(days=4) >= known_on(scope)


KPIS: dict[str, Callable[[Cell, Scope], Figure]] = {
    "reopen_rate": reopen_rate,
    "schedule_compliance": schedule_compliance,
    "schedule_compliance_hours": schedule_compliance_hours,
}
SCOPES: dict[str, Sequence[str]] = {"schedule_compliance_hours": ()}

"""The backlog as the oracle sees it: what flows in and out, how old it is, what of it could be begun."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from statistics import quantiles

from simulator.truth_calendar import DAY, duration_seconds, local_date, micros, next_period
from simulator.truth_cells import Cell, Scope, Sheet
from simulator.truth_history import Record
from simulator.truth_kpis import Figure, count, covered, hours
from simulator.truth_orders import Order, asset_id
from simulator.truth_places import Place
from simulator.truth_sources import Sources

Kpi = Callable[[Cell, Scope], Figure]
PARTS_AT_HAND = frozenset({"NO_PARTS", "KITTED", "STAGED", "ISSUED"})


@dataclass(frozen=True, slots=True)
class Mark:
    """The day (UTC) on which anything of an organisation was known for the first time; every scope has one."""

    place: Place
    known_on: date


def marks(sources: Sources) -> list[Mark]:
    """Return a mark for each site and for each place that an order has."""
    first = (micros(history[0].seen_at) for histories in sources.states.values() for history in histories.values())
    known_on = local_date(min(first, default=sources.as_of), "UTC")
    orders = {_place(sources, record) for record in sources.latest("work_orders").values()}
    return [Mark(place, known_on) for place in ({Place(site_id) for site_id in sources.zones} | orders)]


def _place(sources: Sources, record: Record) -> Place:
    teams = sources.places.teams_of(record.get("assignees") or ())
    return sources.places.place(record.get("locationId"), asset_id(record), micros(record["createdAt"]), teams)


def known_on(scope: Scope) -> date:
    """Return the day (UTC) on which anything of the scope's organisation was known for the first time; of a scope without orders none."""
    marks = scope.records.get("marks")
    return marks[0].known_on if marks else date.max


def lay_out_days(sheet: Sheet) -> None:
    """Note the first and the last day of each period."""
    for span, cell in zip(sheet.spans, sheet.cells, strict=True):
        cell.more["days"].append((span.start_on, next_period(span.start_on, span.grain) - timedelta(days=1)))


def lay_out_flow(sheet: Sheet) -> None:
    """Put each order into the periods in which it entered the backlog and left it; midnight belongs to the day before."""
    zone = sheet.site.time_zone
    for order in sheet.records.get("orders", ()):
        closed_at = None if order.closing is None else order.closing.at
        if order.created_at > sheet.as_of or (closed_at is not None and closed_at <= order.created_at):
            continue  # it never was in the backlog
        if cell := sheet.at(local_date(order.created_at - 1, zone)):
            cell.more["opened"].append(order)
        if closed_at is not None and closed_at <= sheet.as_of and (cell := sheet.at(local_date(closed_at - 1, zone))):
            cell.more["closed"].append(order)


def shown(cell: Cell) -> list[tuple[Order, int]]:
    """Return the orders of the backlog whose start is reached, each with the instant."""
    return [(order, at) for order, at in cell.backlog if order.start_at is None or order.start_at <= max(at, order.created_at)]


def in_force(order: Order, at: int) -> Record:
    """Return the state of an order that counts at an instant: from its stamp on, the first one from the creation."""
    since = accumulate((seen.changed_at or 0 for seen in order.history), max)
    states = [seen.record for seen, start in zip(order.history, since, strict=True) if start <= at]
    return (states[-1] if states else order.history[0].record) or {}


def is_ready(record: Record, at: int) -> bool:
    """Whether an order in this state could be begun at an instant."""
    parts, availability = record.get("partStatus"), record.get("partsAvailability", "PARTS_AVAILABLE")
    has_parts = parts in PARTS_AT_HAND if parts else availability == "PARTS_AVAILABLE"
    has_begun = not record.get("startDate") or micros(record["startDate"]) <= at
    return record["status"] == "OPEN" and record.get("estimatedTime") is not None and has_parts and has_begun


def ready_seconds(cell: Cell) -> list[int]:
    """Return the estimates of the orders that could be begun at the period's end."""
    states = ((in_force(order, at), at) for order, at in cell.backlog)
    return [record["estimatedTime"] for record, at in states if is_ready(record, at)]


def ready(figure: Callable[[Sequence[int], Scope], Figure]) -> Kpi:
    """Return a KPI of the ready orders, by their estimates; without a value for periods that ended before anything was known."""

    def kpi(cell: Cell, scope: Scope) -> Figure:
        estimated = sum(order.estimated_seconds is not None for order, _ in cell.backlog)
        is_known = cell.is_open or cell.more["days"][0][1] > known_on(scope)
        found = figure(ready_seconds(cell), scope) if is_known else Figure(reason="not_observed_yet")
        return replace(found, coverage_share=covered(estimated, len(cell.backlog)), records=len(cell.backlog))

    return kpi


def ready_crew_weeks(cell: Cell, scope: Scope) -> Figure:
    """Weeks of the whole crew that the ready orders take."""
    found = ready(lambda seconds, _: Figure(hours(sum(seconds)), scope.crew_hours_per_week or 0, len(seconds)))(cell, scope)
    if not scope.crew_hours_per_week:
        return Figure(n=found.n, coverage_share=found.coverage_share, reason="no_crew_hours", records=found.records)
    return found


def imputed_share(cell: Cell, _: Scope) -> Figure:
    """Share of the orders behind the backlog's hours whose estimate is that of their like."""
    planned = [order for order, _ in cell.backlog if order.planned_seconds is not None]
    imputed = sum(order.estimated_seconds is None for order in planned)
    coverage = covered(len(planned), len(cell.backlog))
    if not planned:
        return Figure(coverage_share=coverage, reason="no_estimates" if cell.backlog else "nothing_open", records=len(cell.backlog))
    return Figure(float(imputed), float(len(planned)), len(planned), coverage, records=len(cell.backlog))


def aged(days_from: int, days_to: int) -> Kpi:
    """Return the KPI of the orders that are so many whole days old, from `days_from` and below `days_to`."""

    def kpi(cell: Cell, _: Scope) -> Figure:
        old = [order for order, at in shown(cell) if days_from <= (at - order.created_at) // DAY < days_to]
        return replace(count(len(old)), records=len(cell.backlog))

    return kpi


def age_quantile(tenths: int) -> Kpi:
    """Return the KPI of an interpolated quantile of the days since creation."""

    def kpi(cell: Cell, _: Scope) -> Figure:
        ages = [duration_seconds(order.created_at, at) for order, at in shown(cell)]
        if not ages:
            return Figure(reason="nothing_open")
        cuts = quantiles(ages, n=10, method="inclusive") if len(ages) > 1 else ages * 9
        return Figure(cuts[tenths - 1] / 86400.0, 1.0, len(ages))

    return kpi


def flow(cell: Cell, _: Scope) -> Figure:
    """By how much the backlog grew."""
    opened, closed = len(cell.more["opened"]), len(cell.more["closed"])
    return Figure(float(opened - closed), 1.0, opened + closed)


KPIS: dict[str, Kpi] = {
    "opened": lambda cell, _: count(len(cell.more["opened"])),
    "closed": lambda cell, _: count(len(cell.more["closed"])),
    "backlog_flow": flow,
    "backlog_ready_count": ready(lambda seconds, _: count(len(seconds))),
    "backlog_ready_hours": ready(lambda seconds, _: Figure(hours(sum(seconds)), 1.0, len(seconds))),
    "backlog_ready_crew_weeks": ready_crew_weeks,
    "backlog_imputed_share": imputed_share,
    "backlog_age_0_7_days_count": aged(0, 8),
    "backlog_age_8_30_days_count": aged(8, 31),
    "backlog_age_31_90_days_count": aged(31, 91),
    "backlog_age_over_90_days_count": aged(91, 10**9),
    "backlog_age_median_days": age_quantile(5),
    "backlog_age_p90_days": age_quantile(9),
}
SCOPES: dict[str, Sequence[str]] = {"backlog_ready_crew_weeks": ()}

"""The oracle's labour and cost: what belongs to which day; and corrective orders with their neighbours on the same asset."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import floor

from simulator.truth_calendar import DAY, local_date, micros
from simulator.truth_cells import Cell, Scope, Sheet
from simulator.truth_history import Record
from simulator.truth_kpis import Figure, covered, hours, share
from simulator.truth_orders import Order, orders
from simulator.truth_places import Place
from simulator.truth_sources import Sources

WITHIN = 30 * DAY


@dataclass(frozen=True, slots=True)
class Spending:
    """Labour and cost of one state of an order; whole seconds and cents."""

    labour: int = 0
    priced_labour: int = 0
    labour_cents: int = 0
    parts_cents: int = 0
    part_lines: int = 0
    priced_part_lines: int = 0
    other_cents: int = 0

    def __sub__(self, other: "Spending") -> "Spending":
        """Return what this one has more."""
        return Spending(*(getattr(self, name) - getattr(other, name) for name in self.__slots__))

    def __add__(self, other: "Spending") -> "Spending":
        """Return both together."""
        return Spending(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def cents(self) -> int:
        """All of the cost."""
        return self.labour_cents + self.parts_cents + self.other_cents


@dataclass(frozen=True, slots=True)
class Booking:
    """What of one order belongs to one day."""

    place: Place
    booked_on: date
    basis: str  # completed: the day of completion; observed: the day of the reading that showed it first
    spent: Spending


@dataclass(frozen=True, slots=True)
class Corrective:
    """A REACTIVE order that was not cancelled, among those of the same asset."""

    place: Place
    has_asset: bool
    created_on: date
    completed_on: date | None
    is_repeat: bool
    is_repeated: bool
    is_reopened: bool


def spending(record: Record) -> Spending:
    """Return the labour and cost that a state of an order shows."""
    items, parts = record.get("timeItems") or (), record.get("parts") or ()
    prices = [_cents(part) for part in parts]
    return Spending(
        labour=sum(item.get("durationTotal") or 0 for item in items),
        priced_labour=sum(item.get("durationTotal") or 0 for item in items if item.get("rowTotal") is not None),
        labour_cents=sum(item.get("rowTotal") or 0 for item in items),
        parts_cents=sum(price for price in prices if price is not None),
        part_lines=len(prices),
        priced_part_lines=sum(price is not None for price in prices),
        other_cents=sum(cost.get("rowTotal") or 0 for cost in record.get("expenditures") or ()),
    )


def bookings(sources: Sources) -> list[Booking]:
    """Return the labour and cost of every order that is not deleted, by the day it belongs to."""
    return [booking for order in orders(sources) for booking in _bookings(order, sources.zones[order.site_id])]


def correctives(sources: Sources) -> list[Corrective]:
    """Return the corrective orders, with what came before and after each on the same asset."""
    found = [order for order in orders(sources) if order.type == "REACTIVE" and order.status != "CANCELED"]
    by_asset: dict[int, list[Order]] = defaultdict(list)
    for order in found:
        if order.place.asset_id is not None:
            by_asset[order.place.asset_id].append(order)
    return [_corrective(order, by_asset.get(order.place.asset_id or 0, [])) for order in found]


def lay_out_bookings(sheet: Sheet) -> None:
    """Put each booking into the periods of its day."""
    for booking in sheet.records.get("bookings", ()):
        if cell := sheet.at(booking.booked_on):
            cell.more["bookings"].append(booking)


def lay_out_correctives(sheet: Sheet) -> None:
    """Put each corrective order into the periods of its creation and of its completion."""
    for each in sheet.records.get("correctives", ()):
        if cell := sheet.at(each.created_on):
            cell.more["correctives created"].append(each)
        if cell := sheet.at(each.completed_on):
            cell.more["correctives completed"].append(each)


def labour_hours(cell: Cell, _: Scope) -> Figure:
    """Logged hours, by the day they belong to."""
    found = [each for each in _of(cell) if each.spent.labour]
    logged = sum(order.labour_seconds > 0 for order in cell.completed)
    total = sum(each.spent.labour for each in found)
    coverage, records = covered(logged, len(cell.completed)), len(found) + len(cell.completed)
    return Figure(hours(total), 1.0, len(found), coverage, _basis(found), records=records)


def amount(cell: Cell, cents: str, priced: str = "", priceable: str = "", unpriced: str = "") -> Figure:
    """What was spent, by the day it belongs to; without a price of anything the reason."""
    names = [cents, *([priced, priceable] if priced else [])]
    found = [each for each in _of(cell) if any(getattr(each.spent, name) for name in names)]
    known, whole = (sum(getattr(each.spent, name) for each in found) for name in (priced or "cents", priceable or "cents"))
    coverage = covered(known, whole) if priced else None
    if priced and not known and whole > 0:
        return Figure(n=len(found), coverage_share=coverage, reason=unpriced)
    return Figure(sum(getattr(each.spent, cents) for each in found) / 100, 1.0, len(found), coverage, _basis(found))


def cost_per_order(cell: Cell, _: Scope) -> Figure:
    """Cost of the completed orders, for each of them."""
    found = [each for each in _of(cell) if each.basis == "completed" and each.spent.cents]
    if not cell.completed:
        return Figure(reason="nothing_completed")
    n = len(cell.completed)
    return Figure(sum(each.spent.cents for each in found) / 100, float(n), n, covered(len(found), n))


def estimate_accuracy(cell: Cell, _: Scope) -> Figure:
    """Logged by estimated hours of the completed orders that have both."""
    both = [order for order in cell.completed if order.labour_seconds > 0 and (order.estimated_seconds or 0) > 0]
    coverage = covered(len(both), len(cell.completed))
    if not both:
        reason = "no_estimates" if cell.completed else "nothing_completed"
        return Figure(coverage_share=coverage, reason=reason, records=len(cell.completed))
    actual, expected = sum(order.labour_seconds for order in both), sum(order.estimated_seconds or 0 for order in both)
    return Figure(hours(actual), hours(expected), len(both), coverage, "time_items", records=len(cell.completed))


def reactive_hours_share(cell: Cell, _: Scope) -> Figure:
    """Share of REACTIVE orders in the logged hours of the completed ones."""
    logged = [order for order in cell.completed if order.labour_seconds > 0]
    coverage, records = covered(len(logged), len(cell.completed)), len(cell.completed)
    if not logged:
        return Figure(coverage_share=coverage, reason="no_labour_logged" if cell.completed else "nothing_completed", records=records)
    reactive = sum(order.labour_seconds for order in logged if order.type == "REACTIVE")
    whole = sum(order.labour_seconds for order in logged)
    return Figure(hours(reactive), hours(whole), len(logged), coverage, "time_items", records=records)


def reactive_share(cell: Cell, _: Scope) -> Figure:
    """Share of REACTIVE orders in the completed ones, by count."""
    return share(sum(order.type == "REACTIVE" for order in cell.completed), len(cell.completed), "nothing_completed")


def repeat_failure_share(cell: Cell, _: Scope) -> Figure:
    """Share of the corrective orders that followed the completion of another one on the same asset within 30 days."""
    created: list[Corrective] = cell.more.get("correctives created", [])
    return _judged(created, sum(each.is_repeat for each in created), "nothing_created")


def first_time_fix(cell: Cell, _: Scope) -> Figure:
    """Share of the corrective orders completed that were neither re-opened nor followed by another one within 30 days."""
    completed: list[Corrective] = cell.more.get("correctives completed", [])
    fixed = sum(each.has_asset and not each.is_repeated and not each.is_reopened for each in completed)
    found = _judged(completed, fixed, "nothing_completed")
    if cell.is_mature:
        return found
    return Figure(n=found.n, coverage_share=found.coverage_share, reason="cohort_not_mature", records=len(completed))


def _judged(those: Sequence[Corrective], part: int, nothing: str) -> Figure:
    placed = sum(each.has_asset for each in those)
    coverage = covered(placed, len(those))
    if not placed:
        return Figure(coverage_share=coverage, reason="no_assets" if those else nothing, records=len(those))
    return Figure(float(part), float(placed), placed, coverage, records=len(those))


def _of(cell: Cell) -> list[Booking]:
    return cell.more.get("bookings", [])


def _basis(found: Iterable[Booking]) -> str | None:
    kinds = sorted({each.basis for each in found})
    return "mixed" if len(kinds) > 1 else next(iter(kinds), None)


def _cents(part: Record) -> int | None:
    if part.get("unitCost") is None or part.get("quantityUsed") is None:
        return None
    return floor(part["quantityUsed"] * part["unitCost"] + 0.5)


def _bookings(order: Order, zone: str) -> list[Booking]:
    if order.completed_on is not None:
        spent = spending(order.record)
        return [Booking(order.place, order.completed_on, "completed", spent)] if spent != Spending() else []
    by_day: dict[date, Spending] = defaultdict(Spending)
    before = Spending()
    for seen in order.history:
        now = spending(seen.record or {})
        by_day[local_date(micros(seen.seen_at), zone)] += now - before
        before = now
    return [Booking(order.place, day, "observed", spent) for day, spent in by_day.items() if spent != Spending()]


def _corrective(order: Order, neighbours: Sequence[Order]) -> Corrective:
    others = [each for each in neighbours if each.id != order.id]
    return Corrective(
        order.place,
        order.place.asset_id is not None,
        order.created_on,
        order.completed_on,
        is_repeat=any(_follows(order, each) for each in others),
        is_repeated=any(_follows(each, order) for each in others),
        is_reopened=any(_is_done(a.record) and not _is_done(b.record) for a, b in pairwise(order.history)),
    )


def _follows(later: Order, earlier: Order) -> bool:
    return earlier.completed_at is not None and 0 <= later.created_at - earlier.completed_at < WITHIN


def _is_done(record: Record | None) -> bool:
    return (record or {}).get("status") == "DONE"


KPIS = {
    "repeat_failure_share": repeat_failure_share,
    "first_time_fix": first_time_fix,
    "labour_hours": labour_hours,
    "estimate_accuracy": estimate_accuracy,
    "reactive_hours_share": reactive_hours_share,
    "reactive_share": reactive_share,
    "cost_total": lambda cell, _: amount(cell, "cents"),
    "cost_per_order": cost_per_order,
    "labour_cost": lambda cell, _: amount(cell, "labour_cents", "priced_labour", "labour", "no_labour_rates"),
    "parts_cost": lambda cell, _: amount(cell, "parts_cents", "priced_part_lines", "part_lines", "no_prices"),
    "other_cost": lambda cell, _: amount(cell, "other_cents"),
}
SCOPES = dict.fromkeys(KPIS, ("location_subtree", "asset_type", "team", "asset"))

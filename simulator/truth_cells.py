"""Everything the oracle's KPIs count, laid out by scope and period."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from simulator.truth_calendar import GRAINS, HOUR, Period, local_date, period_start, periods, years_before
from simulator.truth_downtime import Downtime, Tracking, downtimes, trackings, up_and_tracked_seconds
from simulator.truth_history import Seen
from simulator.truth_orders import Order, OrderReader
from simulator.truth_sites import Organisation, Site, SiteFinder, sites_of

YEARS = 5
MATURE_AFTER = 30 * 24 * HOUR
Item = TypeVar("Item")
PeriodKey = tuple[str, date]  # grain, first day


@dataclass(slots=True)
class Cell:
    """What happened in one period of one scope, and how it stood at the period's end."""

    is_open: bool = False
    is_mature: bool = True
    created: list[Order] = field(default_factory=list)
    completed: list[Order] = field(default_factory=list)
    due: list[Order] = field(default_factory=list)  # by the present due date
    pm_due: list[Order] = field(default_factory=list)  # PREVENTIVE, by the original due date
    backlog: list[tuple[Order, int]] = field(default_factory=list)  # with the instant at which it was open
    downtimes: list[Downtime] = field(default_factory=list)  # unplanned, by their end
    tracked_assets: int = 0
    tracked_seconds: int = 0
    up_seconds: int = 0


@dataclass(slots=True)
class Scope:
    """A site or an organisation, with what holds in all of its periods."""

    organisation_id: int
    scope_type: str
    scope_id: str
    as_of: int
    last_on: date
    is_observed: bool = True
    has_statuses: bool = False
    known_assets: int = 0
    preventive: int = 0
    preventive_with_due: int = 0
    crew_hours_per_week: float | None = None
    cells: dict[PeriodKey, Cell] = field(default_factory=dict)


class Plant:
    """One organisation at one instant: its records laid out by site and period."""

    def __init__(self, organisation: Organisation, tables: Mapping[str, Mapping[int, Sequence[Seen]]], as_of: int) -> None:
        self._organisation, self._as_of, self._sites = organisation, as_of, sites_of(organisation)
        latest = {table: {key: history[-1].record or {} for key, history in histories.items()} for table, histories in tables.items()}
        finder = SiteFinder(organisation, latest.get("locations", {}).values())
        assets = latest.get("assets", {})
        statuses = list(latest.get("asset_statuses", {}).values())
        reader = OrderReader(organisation, finder, tables.get("work_orders", {}), assets, latest.get("rca_reports", {}).values())
        self._orders = _grouped(reader.orders(), lambda order: order.site_id)
        self._assets = _grouped(assets, lambda asset_id: finder.site_of(assets[asset_id].get("locationId")))
        self._downtimes = _grouped(downtimes(statuses, as_of), lambda each: finder.site_of(assets.get(each.asset_id, {}).get("locationId")))
        self._trackings = trackings(statuses)
        self._has_statuses = bool(statuses)

    def scopes(self, is_observed: bool = True) -> list[Scope]:
        """Return the organisation, then each of its sites, every one with a cell for each period of the organisation.

        Args:
            is_observed: whether anything was read of the organisation at all.
        """
        days = {site.id: local_date(self._as_of, site.time_zone) for site in self._sites}
        last_on = max(days.values())
        created = [order.created_on for orders in self._orders.values() for order in orders]
        first_on = min(max(min(created, default=last_on), years_before(last_on, YEARS)), last_on)
        sites = [self._site(site, first_on, last_on, days[site.id]) for site in self._sites]
        whole = self._together(sites, last_on)
        for scope in (whole, *sites):
            scope.is_observed, scope.has_statuses = is_observed, self._has_statuses
        return [whole, *sites]

    def _site(self, site: Site, first_on: date, last_on: date, today: date) -> Scope:
        orders = self._orders.get(site.id, [])
        preventive = [order for order in orders if order.type == "PREVENTIVE"]
        scope = Scope(self._organisation.id, "site", site.id, self._as_of, today, crew_hours_per_week=site.crew_hours_per_week)
        scope.known_assets = len(self._assets.get(site.id, ()))
        scope.preventive, scope.preventive_with_due = len(preventive), sum(order.original_due is not None for order in preventive)
        for grain in GRAINS:
            spans = periods(grain, first_on, last_on, site.time_zone)
            cells = {(grain, span.start_on): self._cell(site, span) for span in spans}
            _lay_out(orders, grain, cells)
            _lay_out_backlog(orders, [min(span.end_at, self._as_of) for span in spans], list(cells.values()))
            self._lay_out_downtimes(site, grain, cells)
            scope.cells |= cells
        return scope

    def _cell(self, site: Site, span: Period) -> Cell:
        cell = Cell(is_open=span.end_at > self._as_of, is_mature=span.end_at + MATURE_AFTER <= self._as_of)
        for asset_id in self._assets.get(site.id, ()):
            if tracking := self._trackings.get(asset_id):
                _add_tracking(cell, tracking, span.start_at, min(span.end_at, self._as_of))
        return cell

    def _lay_out_downtimes(self, site: Site, grain: str, cells: Mapping[PeriodKey, Cell]) -> None:
        for downtime in self._downtimes.get(site.id, ()):
            if downtime.downtime_type == "unplanned" and downtime.ended_at is not None:
                day = local_date(downtime.ended_at, site.time_zone)
                if cell := cells.get((grain, period_start(day, grain))):
                    cell.downtimes.append(downtime)

    def _together(self, sites: Sequence[Scope], last_on: date) -> Scope:
        """Return the organisation: the union of its sites, period by period."""
        whole = Scope(self._organisation.id, "organisation", str(self._organisation.id), self._as_of, last_on)
        whole.known_assets = sum(scope.known_assets for scope in sites)
        whole.preventive = sum(scope.preventive for scope in sites)
        whole.preventive_with_due = sum(scope.preventive_with_due for scope in sites)
        whole.crew_hours_per_week = _crew_hours(self._organisation.sites)
        whole.cells = {key: _union([scope.cells[key] for scope in sites]) for key in sites[0].cells}
        return whole


def plants(states: Mapping[tuple[int, str, int], Sequence[Seen]], as_of: int, organisations: Iterable[Organisation]) -> list[Plant]:
    """Return each organisation with its own live records; states without a record between others are left out."""
    tables: dict[int, dict[str, dict[int, list[Seen]]]] = {}
    for (organisation_id, table, record_id), history in states.items():
        if history[-1].record is not None:
            living = [seen for seen in history if seen.record is not None]
            tables.setdefault(organisation_id, {}).setdefault(table, {})[record_id] = living
    return [Plant(organisation, tables.get(organisation.id, {}), as_of) for organisation in organisations]


def _lay_out(orders: Iterable[Order], grain: str, cells: Mapping[PeriodKey, Cell]) -> None:
    for order in orders:
        if cell := cells.get((grain, period_start(order.created_on, grain))):
            cell.created.append(order)
        if order.completed_on and (cell := cells.get((grain, period_start(order.completed_on, grain)))):
            cell.completed.append(order)
        if order.due and (cell := cells.get((grain, period_start(order.due.due_on, grain)))):
            cell.due.append(order)
        if (
            order.type == "PREVENTIVE"
            and order.original_due
            and (cell := cells.get((grain, period_start(order.original_due.due_on, grain))))
        ):
            cell.pm_due.append(order)


def _lay_out_backlog(orders: Iterable[Order], ends: Sequence[int], cells: Sequence[Cell]) -> None:
    """Add each order to the periods at whose end it was created and not yet closed; the ends ascend."""
    for order in orders:
        first = bisect_left(ends, order.created_at)
        past = len(ends) if order.closing is None else bisect_left(ends, order.closing.at)
        for position in range(first, past):
            cells[position].backlog.append((order, ends[position]))


def _add_tracking(cell: Cell, tracking: Tracking, start: int, end: int) -> None:
    up_seconds, tracked_seconds = up_and_tracked_seconds(tracking, start, end)
    cell.tracked_assets += tracked_seconds > 0
    cell.tracked_seconds += tracked_seconds
    cell.up_seconds += up_seconds


def _union(cells: Sequence[Cell]) -> Cell:
    return Cell(
        is_open=any(cell.is_open for cell in cells),
        is_mature=all(cell.is_mature for cell in cells),
        created=[order for cell in cells for order in cell.created],
        completed=[order for cell in cells for order in cell.completed],
        due=[order for cell in cells for order in cell.due],
        pm_due=[order for cell in cells for order in cell.pm_due],
        backlog=[entry for cell in cells for entry in cell.backlog],
        downtimes=[downtime for cell in cells for downtime in cell.downtimes],
        tracked_assets=sum(cell.tracked_assets for cell in cells),
        tracked_seconds=sum(cell.tracked_seconds for cell in cells),
        up_seconds=sum(cell.up_seconds for cell in cells),
    )


def _crew_hours(sites: Sequence[Site]) -> float | None:
    """Return the crew hours of all configured sites; None if there are none or one of them lacks them."""
    hours = [site.crew_hours_per_week for site in sites]
    return sum(hour for hour in hours if hour) if hours and all(hours) else None


def _grouped(items: Iterable[Item], key: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups

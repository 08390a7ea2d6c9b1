"""Everything the oracle's KPIs count, laid out by scope and period."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from simulator.truth_calendar import GRAINS, HOUR, Period, local_date, period_start, periods, years_before
from simulator.truth_downtime import Downtime
from simulator.truth_history import Seen
from simulator.truth_orders import Order
from simulator.truth_places import ScopeKey
from simulator.truth_sites import Organisation, Site, sites_of
from simulator.truth_sources import Readers, Sources

YEARS = 5
FINE_YEARS, FINE_WEEKS = 2, 26  # how far back scopes finer than a site reach
MATURE_AFTER = 30 * 24 * HOUR
PeriodKey = tuple[str, date]  # grain, first day
Records = Mapping[str, list[Any]]  # by the name of their reader


@dataclass(slots=True)
class Cell:
    """What happened in one period of one scope, and how it stood at the period's end. Lists and numbers add up over sites."""

    is_open: bool = False
    is_mature: bool = True
    created: list[Order] = field(default_factory=list)
    completed: list[Order] = field(default_factory=list)
    due: list[Order] = field(default_factory=list)  # by the present due date
    pm_due: list[Order] = field(default_factory=list)  # PREVENTIVE, by the original due date
    backlog: list[tuple[Order, int]] = field(default_factory=list)  # with the instant at which it was open
    downtimes: list[Downtime] = field(default_factory=list)  # unplanned, by their end
    more: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))  # what a family lays out for itself


@dataclass(slots=True)
class Scope:
    """An organisation, a site or something finer, with what holds in all of its periods."""

    organisation_id: int
    scope_type: str
    scope_id: str
    as_of: int
    last_on: date
    records: Records = field(default_factory=dict)
    is_observed: bool = True
    has_statuses: bool = False
    crew_hours_per_week: float | None = None
    cells: dict[PeriodKey, Cell] = field(default_factory=dict)

    @property
    def is_fine(self) -> bool:
        """Whether it is finer than a site: then it has rows only where there are records."""
        return self.scope_type not in {"organisation", "site"}

    @property
    def preventive(self) -> list[Order]:
        """The PREVENTIVE orders."""
        return [order for order in self.records.get("orders", ()) if order.type == "PREVENTIVE"]


@dataclass
class Sheet:
    """The periods of one grain for the records of one scope at one site: what a layout fills."""

    site: Site
    as_of: int
    grain: str
    spans: Sequence[Period]
    cells: Sequence[Cell]  # one for each span
    records: Records

    def at(self, day: date | None) -> Cell | None:
        """Return the cell of the period that holds a day of the site's calendar, None outside of all."""
        return None if day is None else self._by_start.get(period_start(day, self.grain))

    def ends(self) -> list[int]:
        """Return the instant at which each period ended, or that of the evaluation."""
        return [min(span.end_at, self.as_of) for span in self.spans]

    @cached_property
    def _by_start(self) -> dict[date, Cell]:
        return {span.start_on: cell for span, cell in zip(self.spans, self.cells, strict=True)}


Layout = Callable[[Sheet], None]


class Plant:
    """One organisation at one instant: its records laid out by scope and period."""

    def __init__(self, sources: Sources, readers: Readers, layouts: Sequence[Layout]) -> None:
        """Read every record, and note which scopes it belongs to."""
        self._sources, self._layouts, self._as_of = sources, layouts, sources.as_of
        self._sites = {site.id: site for site in sites_of(sources.organisation)}
        self._by_site: dict[str, Records] = {site_id: defaultdict(list) for site_id in self._sites}
        self._fine: dict[ScopeKey, dict[str, Records]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for name, read in readers.items():
            for record in read(sources):
                site_id = record.place.site_id
                self._by_site[site_id][name].append(record)
                for key in sources.places.scopes(record.place):
                    self._fine[key][site_id][name].append(record)

    def scopes(self, is_observed: bool = True) -> list[Scope]:
        """Return the organisation, each of its sites, then what is finer; the first two with a cell for each period.

        Args:
            is_observed: whether anything was read of the organisation at all.
        """
        days = {site.id: local_date(self._as_of, site.time_zone) for site in self._sites.values()}
        last_on = max(days.values())
        created = [order.created_on for records in self._by_site.values() for order in records.get("orders", ())]
        first_on = min(max(min(created, default=last_on), years_before(last_on, YEARS)), last_on)
        sites = [self._site(site, self._by_site[site.id], first_on, last_on, days[site.id]) for site in self._sites.values()]
        whole = self._together("organisation", str(self._sources.organisation.id), sites, last_on)
        whole.crew_hours_per_week = _crew_hours(self._sources.organisation.sites)
        fine = [self._finer(key, parts, first_on, last_on, days) for key, parts in sorted(self._fine.items())]
        found = [whole, *sites, *fine]
        for scope in found:
            scope.is_observed, scope.has_statuses = is_observed, bool(self._sources.latest("asset_statuses"))
        return found

    def _site(self, site: Site, records: Records, first_on: date, last_on: date, today: date) -> Scope:
        scope = Scope(self._sources.organisation.id, "site", site.id, self._as_of, today, records)
        scope.crew_hours_per_week = site.crew_hours_per_week
        self._fill(scope, site, {grain: periods(grain, first_on, last_on, site.time_zone) for grain in GRAINS})
        return scope

    def _finer(self, key: ScopeKey, parts: Mapping[str, Records], first_on: date, last_on: date, days: Mapping[str, date]) -> Scope:
        """Return a finer scope: on the calendar of its site, or of the organisation if it lies in several."""
        site_ids = list(parts) if len(parts) == 1 else list(self._sites)
        found = []
        for site_id in site_ids:
            site = self._sites[site_id]
            scope = Scope(self._sources.organisation.id, *key, self._as_of, days[site_id], parts.get(site_id, {}))
            spans = {grain: _recent(periods(grain, first_on, last_on, site.time_zone), self._as_of) for grain in _grains(key[0])}
            self._fill(scope, site, spans)
            found.append(scope)
        return found[0] if len(found) == 1 else self._together(*key, found, last_on)

    def _fill(self, scope: Scope, site: Site, spans: Mapping[str, Sequence[Period]]) -> None:
        for grain, those in spans.items():
            cells = [Cell(span.end_at > self._as_of, span.end_at + MATURE_AFTER <= self._as_of) for span in those]
            sheet = Sheet(site, self._as_of, grain, those, cells, scope.records)
            for lay_out in self._layouts:
                lay_out(sheet)
            scope.cells |= {(grain, span.start_on): cell for span, cell in zip(those, cells, strict=True)}

    def _together(self, scope_type: str, scope_id: str, sites: Sequence[Scope], last_on: date) -> Scope:
        """Return the union of what lies at several sites, period by period."""
        records: dict[str, list[Any]] = defaultdict(list)
        for scope in sites:
            for name, items in scope.records.items():
                records[name] += items
        whole = Scope(self._sources.organisation.id, scope_type, scope_id, self._as_of, last_on, records)
        whole.cells = {key: _union([scope.cells[key] for scope in sites]) for key in sites[0].cells}
        return whole


def plants(
    states: Mapping[tuple[int, str, int], Sequence[Seen]],
    as_of: int,
    organisations: Iterable[Organisation],
    readers: Readers,
    layouts: Sequence[Layout],
) -> list[Plant]:
    """Return each organisation with its own records."""
    tables: dict[int, dict[str, dict[int, Sequence[Seen]]]] = {}
    for (organisation_id, table, record_id), history in states.items():
        tables.setdefault(organisation_id, {}).setdefault(table, {})[record_id] = history
    return [Plant(Sources(each, tables.get(each.id, {}), as_of), readers, layouts) for each in organisations]


def lay_out_orders(sheet: Sheet) -> None:
    """Put each order into the periods of its creation, completion and due dates."""
    for order in sheet.records.get("orders", ()):
        if cell := sheet.at(order.created_on):
            cell.created.append(order)
        if cell := sheet.at(order.completed_on):
            cell.completed.append(order)
        if order.due and (cell := sheet.at(order.due.due_on)):
            cell.due.append(order)
        if order.type == "PREVENTIVE" and order.original_due and (cell := sheet.at(order.original_due.due_on)):
            cell.pm_due.append(order)


def lay_out_backlog(sheet: Sheet) -> None:
    """Put each order into the periods at whose end it was created and not yet closed."""
    ends = sheet.ends()  # they ascend
    for order in sheet.records.get("orders", ()):
        first = bisect_left(ends, order.created_at)
        past = len(ends) if order.closing is None else bisect_left(ends, order.closing.at)
        for position in range(first, past):
            sheet.cells[position].backlog.append((order, ends[position]))


def lay_out_downtimes(sheet: Sheet) -> None:
    """Put each unplanned downtime that is over into the period in which it ended."""
    for downtime in sheet.records.get("downtimes", ()):
        ended_on = None if downtime.ended_at is None else local_date(downtime.ended_at, sheet.site.time_zone)
        if downtime.downtime_type == "unplanned" and (cell := sheet.at(ended_on)):
            cell.downtimes.append(downtime)


def _grains(scope_type: str) -> tuple[str, ...]:
    return GRAINS[1:] if scope_type == "asset" else GRAINS


def _recent(spans: Sequence[Period], as_of: int) -> list[Period]:
    """Return the whole periods for which finer scopes have rows."""
    today = local_date(as_of, "UTC")
    floors = {"week": today - timedelta(weeks=FINE_WEEKS)}
    return [span for span in spans if span.start_on >= floors.get(span.grain, years_before(today, FINE_YEARS))]


def _union(cells: Sequence[Cell]) -> Cell:
    whole = Cell(any(cell.is_open for cell in cells), all(cell.is_mature for cell in cells))
    for name in (each.name for each in fields(Cell) if each.name not in {"is_open", "is_mature", "more"}):
        setattr(whole, name, _sum([getattr(cell, name) for cell in cells]))
    for cell in cells:
        for name, items in cell.more.items():
            whole.more[name] += items
    return whole


def _sum(parts: Sequence[Any]) -> Any:
    return [item for part in parts for item in part] if isinstance(parts[0], list) else sum(parts)


def _crew_hours(sites: Sequence[Site]) -> float | None:
    """Return the crew hours of all configured sites; None if there are none or one of them lacks them."""
    hours = [site.crew_hours_per_week for site in sites]
    return sum(hour for hour in hours if hour) if hours and all(hours) else None

"""The oracle's hours of assets: how long each was tracked, down, available and up in a window, and how often it stopped."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from statistics import median
from zoneinfo import ZoneInfo

from simulator.truth_calendar import Period, duration_seconds, local_date, micros, midnight, next_period
from simulator.truth_cells import Cell, Scope, Sheet
from simulator.truth_downtime import FOREVER, Downtime, Interval, merged
from simulator.truth_history import Record
from simulator.truth_kpis import Figure, count, covered, hours, mean_hours, mttr
from simulator.truth_places import BEGINNING, Place
from simulator.truth_sites import Site, sites_of
from simulator.truth_sources import Sources

LAYERS = ("ignored", "unplanned", "planned", "unknown")  # where kinds overlap, the first counts
SPANS = {"period": None, "90_days": 90, "365_days": 365}
CALENDAR_YEARS = 7


@dataclass(frozen=True, slots=True)
class Hours:
    """The seconds of one asset at one place in one window."""

    has_calendar: bool
    tracked: int
    unplanned: int
    planned: int
    unknown: int
    available: int
    up: int


@dataclass
class Stay:
    """One asset at one place: when it stood there, and everything that is known of its time."""

    place: Place
    asset_id: int
    stood: list[Interval]
    created_at: int
    first_at: int | None  # of its first status; None: nobody tracks it
    layers: Sequence[Sequence[Interval]]  # each the union of its kind and those before it
    shifts: Sequence[Interval] | None  # of its site; None: it runs round the clock
    scheduled_layers: Sequence[Sequence[Interval]]
    known: dict[Interval, Hours | None] = field(default_factory=dict)

    def hours(self, start: int, end: int) -> Hours | None:
        """Return its seconds in a window, None if it was not there at all."""
        if (start, end) not in self.known:
            self.known[start, end] = self._hours(start, end)
        return self.known[start, end]

    def _hours(self, start: int, end: int) -> Hours | None:
        present = [(a, b) for a, b in self.stood if a < end and b > start and max(self.created_at, a) < min(b, end)]
        if not present:
            return None
        parts = [
            (max(a, start, self.first_at), min(b, end)) for a, b in present if self.first_at is not None and self.first_at < min(b, end)
        ]
        clock = [duration_seconds(a, b) for a, b in parts if b > a]
        down = [sum(_within(layer, a, b) for a, b in parts) for layer in self.layers]
        tracked, has_calendar = sum(clock) - down[0], self.shifts is not None
        if self.shifts is None:
            available, up = tracked, sum(clock) - down[3]
        else:
            scheduled = sum(_within(self.shifts, a, b) for a, b in parts)
            stopped = [sum(_within(layer, a, b) for a, b in parts) for layer in self.scheduled_layers]
            available, up = scheduled - stopped[0], scheduled - stopped[3]
        return Hours(has_calendar, tracked, down[1] - down[0], down[2] - down[1], down[3] - down[2], available, up)


def stays(sources: Sources) -> list[Stay]:
    """Return every asset at every place it ever stood at, until it was found deleted."""
    layers, first = _layers(sources)
    sites = {site.id: site for site in sites_of(sources.organisation)}
    found: list[Stay] = []
    for asset_id, history in sources.states.get("assets", {}).items():
        created = [micros(seen.record["createdAt"]) for seen in history if seen.record and seen.record.get("createdAt")]
        stood: dict[Place, list[Interval]] = defaultdict(list)
        for each in sources.places.of_assets.get(asset_id, []):
            ends = [at for at in (each.valid_to, each.deleted_at) if at is not None]
            stood[each.place].append((each.valid_from, each.valid_to if each.valid_to is not None else min(ends, default=FOREVER)))
        first_at = first.get(asset_id)
        for place, intervals in stood.items():
            shifts = _shifts(sites[place.site_id], sources.as_of)
            own = layers.get(asset_id, [[]] * len(LAYERS))
            scheduled = [] if shifts is None else [_both(layer, shifts) for layer in own]
            begun = min(created, default=first_at if first_at is not None else BEGINNING)
            found.append(Stay(place, asset_id, intervals, begun, first_at, own, shifts, scheduled))
    return found


def lay_out_hours(sheet: Sheet) -> None:
    """Put the hours of each asset into each period, and into the days that end with it."""
    for position, cell in enumerate(sheet.cells):
        for span in SPANS:
            if (window := _window(sheet, sheet.spans[position], span)) is not None:
                found = (stay.hours(*window) for stay in sheet.records.get("stays", ()))
                cell.more[f"hours {span}"] += [each for each in found if each is not None]


def lay_out_stops(sheet: Sheet) -> None:
    """Put each planned and unplanned downtime into the periods, and into the days that end with them, in which it began."""
    stops = [each for each in sheet.records.get("downtimes", ()) if each.downtime_type != "unknown"]
    for position, cell in enumerate(sheet.cells):
        for span in SPANS:
            if (window := _window(sheet, sheet.spans[position], span)) is not None:
                cell.more[f"stops {span}"] += [each for each in stops if window[0] <= each.started_at < window[1]]


def lay_out_ongoing(sheet: Sheet) -> None:
    """Put each unplanned downtime that goes on into the period of the evaluation."""
    cell = sheet.at(local_date(sheet.as_of, sheet.site.time_zone))
    if cell is not None:
        going_on = (each for each in sheet.records.get("downtimes", ()) if each.downtime_type == "unplanned" and each.ended_at is None)
        cell.more["ongoing"] += going_on


def mean_downtime(cell: Cell, scope: Scope) -> Figure:
    """Whole hours of the unplanned downtimes that ended in the period, per downtime; what goes on lowers the coverage."""
    seconds = [downtime.seconds for downtime in cell.downtimes]
    found = mean_hours(seconds, "no_downtime_ended" if scope.has_statuses else "no_status_tracking")
    return _with_ongoing(found, cell)


def downtime_quantile(cell: Cell, scope: Scope, q: float) -> Figure:
    """The interpolated quantile of the same."""
    seconds = sorted(downtime.seconds for downtime in cell.downtimes)
    if not seconds:
        return Figure(reason="no_downtime_ended" if scope.has_statuses else "no_status_tracking")
    at = (len(seconds) - 1) * q
    low = int(at)
    value = median(seconds) if q == 0.5 else seconds[low] + (at - low) * (seconds[min(low + 1, len(seconds) - 1)] - seconds[low])
    return Figure(value / 3600.0, 1.0, len(seconds))


def availability(cell: Cell, _: Scope) -> Figure:
    """Up hours over the hours that count, of the tracked assets."""
    total = _total(cell, "period")
    return _of_hours(total, hours(total.up), hours(total.available), total.assets, total.assets)


def hours_between(cell: Cell, _: Scope, span: str, kinds: Sequence[str], reason: str) -> Figure:
    """Up hours for each stop of some kinds that began in the window."""
    total, events = _total(cell, span), _events(cell, span, kinds)
    if not events and total.tracked and total.available:
        return Figure(coverage_share=total.coverage, reason=reason, records=total.assets)
    return _of_hours(total, hours(total.up), float(events), events, total.assets + events)


def failures(cell: Cell, _: Scope) -> Figure:
    """Unplanned downtimes that began in the period."""
    total, events = _total(cell, "period"), _events(cell, "period", ("unplanned",))
    if not total.tracked and not events:
        return Figure(coverage_share=total.coverage, reason="no_status_tracking")
    found = count(events)
    return Figure(found.numerator, found.denominator, events, total.coverage, records=total.assets + events)


def failure_rate(cell: Cell, _: Scope) -> Figure:
    """Failures for each thousand hours up."""
    total, events = _total(cell, "period"), _events(cell, "period", ("unplanned",))
    if total.tracked and not total.up:
        return Figure(n=events, coverage_share=total.coverage, reason="no_operating_time", records=total.assets + events)
    return _of_hours(total, float(events), hours(total.up) / 1000, events, total.assets + events)


def downtime_hours(cell: Cell, _: Scope, kind: str) -> Figure:
    """Hours of the clock down for one kind of reason."""
    total = _total(cell, "period")
    if not total.tracked:
        return Figure(n=total.assets, coverage_share=total.coverage, reason="no_status_tracking")
    return Figure(hours(total.down[kind]), 1.0, total.assets, total.coverage)


def availability_inherent(cell: Cell, scope: Scope) -> Figure:
    """MTBF by MTBF and MTTR."""
    between, repair = hours_between(cell, scope, "period", ("unplanned",), "no_failures"), mttr(cell, scope)
    reason = between.reason or repair.reason
    if reason or between.value is None or repair.value is None:
        return Figure(n=between.n, coverage_share=between.coverage_share, reason=reason, records=between.counted)
    whole = between.value + repair.value
    return Figure(between.value, whole, between.n, between.coverage_share, repair.basis, records=between.counted)


@dataclass
class _Sum:
    """The hours of all assets of a cell."""

    present: int
    assets: int  # tracked
    tracked: int
    available: int
    scheduled: int
    up: int
    down: dict[str, int]

    @property
    def coverage(self) -> float | None:
        return covered(self.assets, self.present)

    @property
    def basis(self) -> str:
        if self.scheduled == self.available:
            return "operating_calendar"
        return "mixed" if self.scheduled else "calendar"


def _total(cell: Cell, span: str) -> _Sum:
    found: list[Hours] = cell.more.get(f"hours {span}", [])
    return _Sum(
        len(found),
        sum(each.tracked > 0 for each in found),
        sum(each.tracked for each in found),
        sum(each.available for each in found),
        sum(each.available for each in found if each.has_calendar),
        sum(each.up for each in found),
        {kind: sum(getattr(each, kind) for each in found) for kind in LAYERS[1:]},
    )


def _events(cell: Cell, span: str, kinds: Sequence[str]) -> int:
    stops: list[Downtime] = cell.more.get(f"stops {span}", [])
    return sum(each.downtime_type in kinds for each in stops)


def _of_hours(total: _Sum, numerator: float, denominator: float, n: int, records: int) -> Figure:
    if not total.tracked or not total.available:
        reason = "no_operating_time" if total.tracked else "no_status_tracking"
        return Figure(n=n, coverage_share=total.coverage, reason=reason, records=records)
    return Figure(numerator, denominator, n, total.coverage, total.basis, records=records)


def _with_ongoing(figure: Figure, cell: Cell) -> Figure:
    records = figure.n + len(cell.more.get("ongoing", []))
    return Figure(figure.numerator, figure.denominator, figure.n, covered(figure.n, records), figure.basis, figure.reason, records)


def _window(sheet: Sheet, span: Period, name: str) -> Interval | None:
    """Return the instants of a period, or of the days that end with it; None of a period that has not begun."""
    today = local_date(sheet.as_of, sheet.site.time_zone)
    if span.start_on > today:
        return None
    end, days = min(span.end_at, sheet.as_of), SPANS[name]
    if days is None:
        return span.start_at, end
    last_on = min(next_period(span.start_on, span.grain) - timedelta(days=1), today)
    return midnight(last_on - timedelta(days=days - 1), sheet.site.time_zone), end


def _layers(sources: Sources) -> tuple[dict[int, list[list[Interval]]], dict[int, int]]:
    """Return the layers of downtime of each asset, and the instant of its first status."""
    own: dict[int, dict[str, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    first: dict[int, int] = {}
    for status in sources.latest("asset_statuses").values():
        if status.get("assetId") is None or not status.get("startedAt"):
            continue
        asset_id, start = status["assetId"], micros(status["startedAt"])
        first[asset_id] = min(first.get(asset_id, start), start)
        end = micros(status["endedAt"]) if status.get("endedAt") else FOREVER
        if (kind := _kind(status)) and start < min(end, sources.as_of):
            own[asset_id][kind].append((start, min(end, sources.as_of)))
    nested = {
        asset_id: [merged(piece for kind in LAYERS[: position + 1] for piece in kinds[kind]) for position in range(len(LAYERS))]
        for asset_id, kinds in own.items()
    }
    return nested, first


def _kind(status: Record) -> str | None:
    if status["status"] == "OFFLINE":
        return {"PLANNED": "planned", "UNPLANNED": "unplanned"}.get(status.get("downtimeType") or "", "unknown")
    return "ignored" if status["status"] == "IGNORE" else None


@cache
def _shifts(site: Site, as_of: int) -> tuple[Interval, ...] | None:
    """Return when a site runs, as instants, from some years before the evaluation to just after it; None: round the clock."""
    if not site.shifts:
        return None
    zone, today = ZoneInfo(site.time_zone), local_date(as_of, site.time_zone)
    days = [date(today.year - CALENDAR_YEARS, 1, 1) + timedelta(days=n) for n in range((CALENDAR_YEARS + 2) * 366)]
    found = [
        (_instant(day, start, zone), _instant(day, end, zone))
        for day in days
        for weekday, start, end in site.shifts
        if day.isoweekday() == weekday and day not in site.holidays
    ]
    return tuple(merged((start, end) for start, end in found if end > start))


def _instant(day: date, second: int, zone: ZoneInfo) -> int:
    shown = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=second)  # on the clock, not elapsed
    return micros(shown.astimezone(UTC))


def _both(first: Sequence[Interval], second: Sequence[Interval]) -> list[Interval]:
    """Return what lies in both of two unions of intervals."""
    found = []
    for start, end in first:
        position = max(bisect_left(second, (start, start)) - 1, 0)
        while position < len(second) and second[position][0] < end:
            piece = max(start, second[position][0]), min(end, second[position][1])
            if piece[0] < piece[1]:
                found.append(piece)
            position += 1
    return found


def _within(intervals: Sequence[Interval], start: int, end: int) -> int:
    """Return the whole seconds of a union of intervals between two instants, rounded down for each of its pieces."""
    return sum(duration_seconds(a, b) for a, b in _both([(start, end)], intervals)) if end > start else 0


PLACED = ("location_subtree", "asset_type", "asset")
UNPLANNED, STOPS = ("unplanned",), ("unplanned", "planned")
KPIS = {
    "mean_downtime": mean_downtime,
    "mean_downtime_median": lambda cell, scope: downtime_quantile(cell, scope, 0.5),
    "mean_downtime_p90": lambda cell, scope: downtime_quantile(cell, scope, 0.9),
    "downtime_hours_planned": lambda cell, scope: downtime_hours(cell, scope, "planned"),
    "downtime_hours_unplanned": lambda cell, scope: downtime_hours(cell, scope, "unplanned"),
    "downtime_hours_unknown": lambda cell, scope: downtime_hours(cell, scope, "unknown"),
    "availability": availability,
    "availability_inherent": availability_inherent,
    "failures": failures,
    "failure_rate": failure_rate,
    "mtbf": lambda cell, scope: hours_between(cell, scope, "period", UNPLANNED, "no_failures"),
    "mtbf_90_days": lambda cell, scope: hours_between(cell, scope, "90_days", UNPLANNED, "no_failures"),
    "mtbf_365_days": lambda cell, scope: hours_between(cell, scope, "365_days", UNPLANNED, "no_failures"),
    "mtbm": lambda cell, scope: hours_between(cell, scope, "period", STOPS, "no_stops"),
}
SCOPES = dict.fromkeys(KPIS, PLACED)

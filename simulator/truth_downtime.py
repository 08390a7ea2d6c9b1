"""Downtime and tracked time of assets, read off the oracle's asset statuses."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from simulator.truth_calendar import duration_seconds, micros
from simulator.truth_history import Record
from simulator.truth_places import Place
from simulator.truth_sources import Sources

Interval = tuple[int, int]  # instants [start, end)
FOREVER = 2**62


@dataclass(frozen=True, slots=True)
class Downtime:
    """One stretch for which an asset was down for one kind of reason."""

    asset_id: int
    place: Place  # where the asset stood when it began
    downtime_type: str  # unplanned, planned, unknown
    started_at: int
    ended_at: int | None  # None: not over at the instant of evaluation

    @property
    def seconds(self) -> int:
        """Whole seconds of a downtime that is over."""
        if self.ended_at is None:
            raise ValueError(f"downtime of asset {self.asset_id} since {self.started_at} is not over")
        return duration_seconds(self.started_at, self.ended_at)


@dataclass(slots=True)
class Tracking:
    """What the statuses of one asset say of its time."""

    place: Place  # where it stands now
    first_at: int  # nothing is known of the asset before
    offline: list[Interval] = field(default_factory=list)  # OFFLINE and IGNORE together
    ignored: list[Interval] = field(default_factory=list)


def downtimes(sources: Sources) -> list[Downtime]:
    """Return the merged OFFLINE intervals that began before the instant of evaluation, by asset and kind.

    Overlapping and touching rows of one asset and kind are one downtime. An end after the instant is not known yet.
    """
    found: dict[tuple[int, str], list[Interval]] = defaultdict(list)
    as_of = sources.as_of
    for status in _statuses(sources):
        interval = _interval(status)
        if status["status"] == "OFFLINE" and interval and interval[0] < as_of:
            found[status["assetId"], (status.get("downtimeType") or "unknown").lower()].append(interval)
    return [
        Downtime(asset_id, sources.places.place(None, asset_id, start), kind, start, end if end <= as_of else None)
        for (asset_id, kind), intervals in found.items()
        for start, end in merged(intervals)
    ]


def trackings(sources: Sources) -> list[Tracking]:
    """Return what is tracked of each asset that exists and has a status row with a start."""
    found: dict[int, Tracking] = {}
    assets = sources.latest("assets")
    for status in _statuses(sources):
        if not status.get("startedAt") or status["assetId"] not in assets:
            continue
        started_at = micros(status["startedAt"])
        place = sources.places.of_assets[status["assetId"]][-1].place
        tracking = found.setdefault(status["assetId"], Tracking(place, started_at))
        tracking.first_at = min(tracking.first_at, started_at)
        if status["status"] in {"OFFLINE", "IGNORE"} and (interval := _interval(status)):
            tracking.offline.append(interval)
            if status["status"] == "IGNORE":
                tracking.ignored.append(interval)
    for tracking in found.values():
        tracking.offline, tracking.ignored = merged(tracking.offline), merged(tracking.ignored)
    return list(found.values())


def _statuses(sources: Sources) -> list[Record]:
    return [status for status in sources.latest("asset_statuses").values() if status.get("assetId") is not None]


def up_and_tracked_seconds(tracking: Tracking, start: int, end: int) -> tuple[int, int]:
    """Return the seconds that an asset was up, and that it was tracked, between two instants.

    IGNORE is time that is not tracked, even where the asset is OFFLINE in it.
    """
    start = max(start, tracking.first_at)
    if end <= start:
        return 0, 0
    whole, ignored = duration_seconds(start, end), _seconds_within(tracking.ignored, start, end)
    return whole - _seconds_within(tracking.offline, start, end), whole - ignored


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union of intervals, in order; those that touch become one."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _interval(status: Record) -> Interval | None:
    if not status.get("startedAt"):
        return None
    start = micros(status["startedAt"])
    end = micros(status["endedAt"]) if status.get("endedAt") else FOREVER
    return (start, end) if end > start else None


def _seconds_within(intervals: Sequence[Interval], start: int, end: int) -> int:
    pieces = ((max(start, a), min(end, b)) for a, b in intervals)
    return sum(duration_seconds(a, b) for a, b in pieces if b > a)

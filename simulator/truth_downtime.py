"""Downtime of assets, read off the oracle's asset statuses."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

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


def _statuses(sources: Sources) -> list[Record]:
    return [status for status in sources.latest("asset_statuses").values() if status.get("assetId") is not None]


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

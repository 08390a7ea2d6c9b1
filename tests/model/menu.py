"""What can happen to a source just now: a choice among what is applicable wastes no draw."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tests.model.source import IDS, LONGEST_START, OVERLAP, Op, Source

Pick: TypeAlias = tuple[int, int]  # which entry of the menu, and its details
FAULTS = frozenset({"ties", "inside", "inside deletes", "late", "clock", "crash", "deletes", "upcoming", "silent", "expiry", "stale"})
MOST_STALE = 4  # ticks


def chosen(pick: Pick, source: Source, faults: frozenset[str], *, is_inside: bool) -> Op | None:
    """Return what a pick means now; None when nothing can happen."""
    number, details = pick
    ticks, details = details % 3 + ("ties" not in faults), details // 3
    entries: list[Callable[[], Op]] = []
    if not is_inside or "inside" in faults:
        entries += _changes(source, faults, ticks, details)
    if (not is_inside and "deletes" in faults) or (is_inside and "inside deletes" in faults):
        entries += _deletions(source, ticks, details)
    if "deletes" in faults and (not is_inside or "inside deletes" in faults):
        entries += _returns(source, ticks, details)
    if is_inside and "expiry" in faults:
        entries.append(lambda: Op("expire", ticks=0))
    if is_inside and "stale" in faults:
        entries.append(lambda: Op("stale", ticks=0, n=1 + details % MOST_STALE))
    return entries[number % len(entries)]() if entries else None


def longest_lag(source: Source, faults: frozenset[str]) -> int:
    """Return the most ticks that a change may be late: with rounding and a replica's lag no more than the overlap."""
    return OVERLAP - (source.setting.granularity - 1) - MOST_STALE * ("stale" in faults)


def _changes(source: Source, faults: frozenset[str], ticks: int, details: int) -> list[Callable[[], Op]]:
    live = sorted(source.truth)
    coming = {op.id for _, _, op, _ in source.pending}
    free = [id_ for id_ in IDS if id_ not in source.recs and id_ not in source.trash and id_ not in coming]
    lag = 1 + details % longest_lag(source, faults)
    entries: list[Callable[[], Op]] = []
    if live:
        some = _one(live, details)
        entries += [lambda: Op("update", some, ticks)] * 2
        if "late" in faults:
            entries.append(lambda: Op("late_update", some, ticks, lag))
        if "silent" in faults:
            entries.append(lambda: Op("silent", some, ticks))
    if free:
        new = _one(free, details)
        entries.append(lambda: Op("create", new, ticks))
        if "late" in faults:
            entries.append(lambda: Op("late_create", new, ticks, lag))
        if "upcoming" in faults:
            entries.append(lambda: Op("create", new, ticks, 1 + details % LONGEST_START))
    return entries


def _deletions(source: Source, ticks: int, details: int) -> list[Callable[[], Op]]:
    live = sorted(source.truth)
    return [lambda: Op("delete", _one(live, details), ticks)] if live else []


def _returns(source: Source, ticks: int, details: int) -> list[Callable[[], Op]]:
    live, trash = sorted(source.truth), sorted(source.trash)
    entries: list[Callable[[], Op]] = []
    if live:
        entries.append(lambda: Op("bury", _one(live, details), ticks, details % 2))
    if trash:
        some = _one(trash, details)
        entries += [lambda: Op("undelete", some, ticks, details % 2), lambda: Op("reuse", some, ticks)]
    return entries


def _one(ids: Sequence[int], details: int) -> int:
    return ids[details // 2 % len(ids)]

"""What was seen of each record, and when: the whole history, or only what was served at some instants."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.history import Version
from simulator.truth_calendar import HOUR, micros

Record = dict[str, Any]
Key = tuple[int, str, int]  # organisation_id, table, id


@dataclass(frozen=True, slots=True)
class Seen:
    """One state of a record as it was seen."""

    record: Record | None  # None: deleted
    seen_at: datetime  # the instant of the reading that first saw it; of the change itself in the whole history
    changed_at: int | None  # when the record says that it changed; the instant of the change itself in the whole history
    is_pinned: bool  # the change lies within the hour before changed_at, because the reading before it is that near


def by_record(versions: Iterable[Version]) -> dict[Key, list[Version]]:
    """Return the versions of each record, in order of their instants (of equal instants, the later given is the later)."""
    found: dict[Key, list[Version]] = defaultdict(list)
    for version in versions:
        found[version.organisation_id, version.table, version.id].append(version)
    for history in found.values():
        history.sort(key=lambda version: version.at)
    return found


def records_at(versions: Iterable[Version], instant: datetime) -> dict[Key, Record]:
    """Return every record that exists at the instant, as it stands then."""
    found: dict[Key, Record] = {}
    for key, history in by_record(version for version in versions if version.at <= instant).items():
        if (record := history[-1].record) is not None:
            found[key] = record
    return found


def versions_of(
    versions: Iterable[Version], sync_instants: Sequence[datetime], ignored: Mapping[str, AbstractSet[str]] | None = None
) -> dict[Key, list[Seen]]:
    """Return the distinct states of each record that readings at some instants see, in order.

    A state that came and went between two readings is not seen; one that returns is seen again; a deleted record that was
    seen before ends in a state without a record.

    Args:
        versions: the whole history.
        sync_instants: when everything was read, ascending.
        ignored: by table, top-level fields whose change alone makes no new state.
    """
    dropped = ignored or {}
    found = {}
    for key, history in by_record(versions).items():
        if seen := _seen(history, sync_instants, dropped.get(key[1], frozenset())):
            found[key] = seen
    return found


def whole_history(versions: Iterable[Version], as_of: datetime) -> dict[Key, list[Seen]]:
    """Return every state of each record up to an instant, each change pinned to its own instant."""
    past = by_record(version for version in versions if version.at <= as_of)
    return {key: [Seen(each.record, each.at, micros(each.at), True) for each in history] for key, history in past.items()}


def _seen(history: Sequence[Version], instants: Sequence[datetime], ignored: AbstractSet[str]) -> list[Seen]:
    seen: list[Seen] = []
    for position, version in enumerate(history):
        reading = bisect_left(instants, version.at)
        if reading == len(instants):
            break
        if position + 1 < len(history) and history[position + 1].at <= instants[reading]:
            continue
        if _is_new(version.record, seen, ignored):
            seen.append(_state(version.record, instants, reading))
    return seen


def _is_new(record: Record | None, seen: Sequence[Seen], ignored: AbstractSet[str]) -> bool:
    before = seen[-1].record if seen else None
    if record is None or before is None:
        return record is not before
    if not ignored:
        return record != before
    return _without(record, ignored) != _without(before, ignored)


def _without(record: Record, ignored: AbstractSet[str]) -> Record:
    return {field: value for field, value in record.items() if field not in ignored}


def _state(record: Record | None, instants: Sequence[datetime], reading: int) -> Seen:
    updated_at = record.get("updatedAt") if record else None
    changed_at = micros(updated_at) if updated_at else None
    is_pinned = reading > 0 and changed_at is not None and changed_at - micros(instants[reading - 1]) <= HOUR
    return Seen(record, instants[reading], changed_at, is_pinned)

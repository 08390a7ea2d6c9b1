"""When a site runs: its weekly shifts, as sites.toml writes them, and the days on which it stands still."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
FORM = "days and times such as 'mon-fri 06:00-22:00', 'sat 06:00-14:00' or 'sun 22:00-06:00'"
_ENTRY = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d{2}):(\d{2})-(\d{2}):(\d{2})")


class BadHours(ValueError):
    """An entry of operating hours or holidays that cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """One shift a week: seconds of the local clock since the midnight that begins `weekday`; one over midnight ends above 86,400."""

    weekday: int  # 1 is Monday
    starts_second: int
    ends_second: int


def shifts(entries: object) -> tuple[Shift, ...]:
    """Return the shifts that the texts of sites.toml name, in the order of the week.

    Raises:
        BadHours: not a list of texts, an unknown form, day or time, or shifts that overlap.
    """
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, str) for entry in entries):
        raise BadHours(f"operating_hours must be a list of {FORM}, not {entries!r}")
    found = tuple(sorted(shift for entry in entries for shift in _shifts(entry)))
    starts = [_in_week(shift)[0] for shift in found]
    for shift, next_start in zip(found, [*starts[1:], starts[0] + WEEK_SECONDS], strict=True):
        if next_start < _in_week(shift)[1]:
            raise BadHours(f"operating_hours {entries!r}: the shift of {DAYS[shift.weekday - 1]} overlaps the next one")
    return found


def holidays(days: object) -> tuple[date, ...]:
    """Return the days without shifts, ascending; a shift that begins on one of them does not run.

    Raises:
        BadHours: not a list of dates, or a date twice.
    """
    if not isinstance(days, list) or not all(isinstance(day, date) and not isinstance(day, datetime) for day in days):
        raise BadHours(f"holidays must be a list of dates such as 2026-12-25, not {days!r}")
    if twice := [day for day in days if days.count(day) > 1]:
        raise BadHours(f"holidays: {twice[0]} stands twice")
    return tuple(sorted(days))


def _shifts(entry: str) -> list[Shift]:
    match = _ENTRY.fullmatch(entry.strip().lower())
    if match is None:
        raise BadHours(f"operating_hours entry {entry!r} must be {FORM}")
    first, last, *clock = match.groups()
    start, end = _second(entry, *clock[:2]), _second(entry, *clock[2:])
    if start == DAY_SECONDS:
        raise BadHours(f"operating_hours entry {entry!r}: no shift begins at 24:00")
    ends = end if end > start else end + DAY_SECONDS
    return [Shift(weekday, start, ends) for weekday in _weekdays(entry, first, last or first)]


def _weekdays(entry: str, first: str, last: str) -> Sequence[int]:
    if unknown := [day for day in (first, last) if day not in DAYS]:
        raise BadHours(f"operating_hours entry {entry!r}: unknown day {unknown[0]!r}; known are {', '.join(DAYS)}")
    start, end = DAYS.index(first), DAYS.index(last)
    if end < start:
        raise BadHours(f"operating_hours entry {entry!r}: {last} comes before {first}")
    return range(start + 1, end + 2)


def _second(entry: str, hour: str, minute: str) -> int:
    second = int(hour) * 3600 + int(minute) * 60
    if int(minute) > 59 or second > DAY_SECONDS:
        raise BadHours(f"operating_hours entry {entry!r}: {hour}:{minute} is no time of day")
    return second


def _in_week(shift: Shift) -> tuple[int, int]:
    offset = (shift.weekday - 1) * DAY_SECONDS
    return offset + shift.starts_second, offset + shift.ends_second

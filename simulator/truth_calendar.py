"""Calendars of the oracle: instants as whole microseconds of UTC, days and periods as a site's own clock shows them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
GRAINS = ("week", "month", "quarter", "year")
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def micros(instant: datetime | str) -> int:
    """Return the microseconds since 1970 of an aware instant, or of its ISO text."""
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return (instant - EPOCH) // MICROSECOND


def duration_seconds(start: int, end: int) -> int:
    """Return the whole seconds between two instants: microseconds, floor-divided."""
    return (end - start) // SECOND


def local_date(instant: int, time_zone: str) -> date:
    """Return the date that a clock in the time zone shows at the instant."""
    return (EPOCH + instant * MICROSECOND).astimezone(ZoneInfo(time_zone)).date()


@cache
def midnight(day: date, time_zone: str) -> int:
    """Return the instant at which the day starts in the time zone."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone)))


def period_start(day: date, grain: str) -> date:
    """Return the first day of the ISO week (a Monday), month, quarter or year that holds the day."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    months = MONTHS[grain]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def next_period(start: date, grain: str) -> date:
    """Return the first day of the period after the one that starts on a day."""
    if grain == "week":
        return start + timedelta(days=7)
    months = start.year * 12 + start.month - 1 + MONTHS[grain]
    return date(months // 12, months % 12 + 1, 1)


def years_before(day: date, years: int) -> date:
    """Return the same calendar day some years before; 28 February stands in for a missing 29th."""
    last_of_february = day.month == 2 and day.day == 29
    return day.replace(year=day.year - years, day=28 if last_of_february else day.day)


@dataclass(frozen=True, slots=True)
class Period:
    """A week, month, quarter or year on one site's clock: the instants [start_at, end_at)."""

    grain: str
    start_on: date
    start_at: int
    end_at: int


def periods(grain: str, first_on: date, last_on: date, time_zone: str) -> list[Period]:
    """Return the periods from the one that holds a day to the one that holds another, in order."""
    found = []
    start = period_start(first_on, grain)
    while start <= last_on:
        end = next_period(start, grain)
        found.append(Period(grain, start, midnight(start, time_zone), midnight(end, time_zone)))
        start = end
    return found

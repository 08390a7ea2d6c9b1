"""Instants as whole milliseconds since 1970 UTC, the API's text form of them, and local calendars."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def from_datetime(instant: datetime) -> int:
    """Return the milliseconds since 1970 of an instant that carries its time zone."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def to_datetime(at: int) -> datetime:
    """Return the UTC instant of `at` (milliseconds since 1970)."""
    return _EPOCH + timedelta(milliseconds=at)


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


def iso(at: int) -> str:
    """Return `at` as the API writes it: 2026-11-16T06:00:00.000Z."""
    day, rest = divmod(at, DAY)
    hour, rest = divmod(rest, HOUR)
    minute, rest = divmod(rest, MINUTE)
    second, millisecond = divmod(rest, SECOND)
    return f"{_day_text(day)}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"


def parse(text: str) -> int:
    """Return the milliseconds since 1970 of an ISO 8601 text; without an offset it is read as UTC.

    Raises:
        ValueError: the text is not an ISO 8601 instant.
    """
    instant = datetime.fromisoformat(text)
    return from_datetime(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


class Zone:
    """A time zone's calendar; days are counted from 1970-01-01 of that calendar."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self._midnights: dict[int, int] = {}

    def midnight(self, day: int) -> int:
        """Return the instant at which the local day starts."""
        if day not in self._midnights:
            local = datetime.combine(date.fromordinal(_EPOCH_DAY + day), datetime.min.time(), self._zone)
            self._midnights[day] = from_datetime(local)
        return self._midnights[day]

    def day(self, at: int) -> int:
        """Return the local day that holds the instant."""
        guess = at // DAY + 1
        while self.midnight(guess) > at:
            guess -= 1
        return guess


def weekday(day: int) -> int:
    """Return 0 for a Monday to 6 for a Sunday."""
    return (day + 3) % 7

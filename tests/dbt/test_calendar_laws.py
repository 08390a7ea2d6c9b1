"""Laws of the calendar, of the portable macros as DuckDB runs them: nights on which clocks change, leap days, weeks across years."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import jinja2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

MACROS = Path(__file__).resolve().parents[2] / "dbt" / "macros"
ZONES = ["America/Chicago", "Europe/Lisbon", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut", "UTC"]
CHANGES = [
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2018, 11, 4),
    date(2028, 2, 29),
    date(2027, 1, 1),
]

days = st.sampled_from(CHANGES).flatmap(lambda day: st.integers(-1, 1).map(lambda by: day + timedelta(days=by))) | st.dates(
    date(2010, 1, 1), date(2035, 12, 31)
)
instants = st.builds(
    lambda day, seconds: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds),
    days,
    st.integers(-86_400, 2 * 86_400),
)
zones = st.sampled_from(ZONES)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set timezone = 'UTC'")
        yield opened


def macro(name: str, *arguments: str) -> str:
    """The SQL that a portable macro gives on DuckDB."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701  SQL, not HTML
    known: dict[str, Any] = {}

    class Adapter:
        def dispatch(self, macro_name: str) -> Callable[..., str]:
            return known[f"default__{macro_name}"]

    text = "\n".join(
        re.sub(r"\{\{ return\((.*?)\) \}\} \{% endmacro %\}", r"{{ \1 }} {% endmacro %}", path.read_text())
        for path in MACROS.glob("portable/*.sql")
    )
    module = environment.from_string(text, globals={"adapter": Adapter(), "return": lambda value: value}).module
    known |= {each: getattr(module, each) for each in dir(module) if "__" in each and not each.startswith("_")}
    return str(getattr(module, name)(*arguments)).strip()


LOCAL_DATE, LOCAL_MIDNIGHT = macro("local_date", "$at", "$zone"), macro("local_midnight", "$day", "$zone")
CALENDAR = {name: macro(name, "$day") for name in ("iso_week", "iso_week_number", "iso_year", "month", "quarter", "year_start")}


@given(at=instants, zone=zones)
@settings(max_examples=150, deadline=None)
@example(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "America/Chicago")  # 01:30, for the first time
@example(datetime(2026, 11, 1, 7, 30, tzinfo=UTC), "America/Chicago")  # 01:30, for the second
def test_a_date_is_what_a_clock_at_the_site_shows(connection, at, zone):
    found = connection.execute(f"select {LOCAL_DATE}", {"at": at, "zone": zone}).fetchall()
    assert found == [(at.astimezone(ZoneInfo(zone)).date(),)]


def midnight(connection: duckdb.DuckDBPyConnection, day: date, zone: str) -> datetime:
    return connection.execute(f"select {LOCAL_MIDNIGHT}", {"day": day, "zone": zone}).fetchall()[0][0].astimezone(UTC)


@given(day=days, zone=zones)
@settings(max_examples=150, deadline=None)
@example(date(2026, 11, 1), "America/Havana")  # has two midnights
@example(date(2018, 11, 4), "America/Sao_Paulo")  # begins at 01:00: midnight was skipped
def test_a_day_begins_at_the_first_instant_of_its_date(connection, day, zone):
    begins = midnight(connection, day, zone)
    assert begins.astimezone(ZoneInfo(zone)).date() == day
    assert (begins - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Chicago", date(2026, 3, 8), 23),
        ("America/Chicago", date(2026, 11, 1), 25),
        ("Europe/Lisbon", date(2026, 3, 29), 23),
        ("Europe/Lisbon", date(2026, 10, 25), 25),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ],
)
def test_days_on_which_clocks_change_have_their_own_length(connection, zone, day, hours):
    assert midnight(connection, day + timedelta(days=1), zone) - midnight(connection, day, zone) == timedelta(hours=hours)


@given(day=days)
@settings(max_examples=200, deadline=None)
@example(date(2026, 12, 31))
@example(date(2027, 1, 3))  # a Sunday of week 53 of 2026
@example(date(2024, 12, 30))  # a Monday of week 1 of 2025
@example(date(2028, 2, 29))
def test_weeks_months_quarters_and_years_are_those_of_the_calendar(connection, day):
    found = connection.execute(f"select {', '.join(CALENDAR.values())}", {"day": day}).fetchall()[0]
    year, week, weekday = day.isocalendar()
    quarter = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    assert found == (day - timedelta(days=weekday - 1), week, year, day.replace(day=1), quarter, date(day.year, 1, 1))


# --- limits ------------------------------------------------------------------------------------------------------------------


def coverage(count: int, low: int, high: int, q: float) -> float:
    """How often the quantile lies between two order statistics of so many values: a sum of binomial probabilities."""
    terms = (math.lgamma(count + 1) - math.lgamma(i + 1) - math.lgamma(count - i + 1) for i in range(low, high))
    return sum(math.exp(term + i * math.log(q) + (count - i) * math.log(1 - q)) for i, term in zip(range(low, high), terms, strict=True))


@pytest.mark.parametrize(("q", "fewest"), [(0.5, 6), (0.9, 45)])
def test_the_limits_of_a_quantile_cover_it_in_95_of_100_samples(q: float, fewest: int) -> None:
    ranks = {}
    for count in range(2, 1201):
        half = 1.96 * math.sqrt(count * q * (1 - q))
        low, high = math.floor(count * q + 0.5 - half), math.ceil(count * q + 0.5 + half)
        if low >= 1 and high <= count:
            ranks[count] = coverage(count, low, high, q)
    assert min(ranks) == fewest
    assert min(ranks.values()) >= 0.95


def poisson_tail(count: int, mean: float) -> float:
    """How likely so many events or fewer are."""
    return sum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(count + 1)) if mean else 1.0


def test_poisson_limits_leave_two_and_a_half_of_a_hundred_on_each_side():
    text = (MACROS.parent / "models" / "intermediate" / "int_poisson_limits.sql").read_text()
    limits = [(float(low), float(high)) for low, high in re.findall(r"\(([\d.]+), ([\d.]+)\)", text)]
    assert len(limits) == 1001
    assert limits[0][0] == 0
    for count in (0, 1, 2, 3, 10, 50, 137, 500, 1000):
        low, high = limits[count]
        assert poisson_tail(count, high) == pytest.approx(0.025, abs=1e-7)
        assert count == 0 or 1 - poisson_tail(count - 1, low) == pytest.approx(0.025, abs=1e-7)

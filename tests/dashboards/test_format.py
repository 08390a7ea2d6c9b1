"""Numbers, dates and reasons as a reader sees them; CSV as a spreadsheet reads it."""

import csv as reader
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import yaml

from dagster_project.settings import ROOT
from dashboards import format as words


@pytest.mark.parametrize(
    ("value", "unit", "of", "said"),
    [
        (4.13, "hours", None, "4.1 h"),
        (0.3, "hours", None, "18 min"),
        (9.96, "hours", None, "10 h"),
        (1.0, "failures", None, "1 failure"),
        (0.42, "failures_per_1000_hours", None, "0.42 per 1,000 h"),
        (3, "requests", None, "3 requests"),
        (1.07, "ratio", None, "1.1"),
        (1234567, "amount", None, "1,234,567"),
        (4.0, "days", None, "4.0 days"),
        (312.4, "hours", None, "310 h"),
        (5432.0, "hours", None, "5,400 h"),
        (0.0, "hours", None, "0 h"),
        (0.8712, "share", 41, "87 %"),
        (0.97912, "share", 5000, "97.9 %"),
        (0.9999, "share", 41, "> 99 %"),
        (0.99999, "share", 5000, "> 99.9 %"),
        (0.0001, "share", 41, "< 1 %"),
        (1.0, "share", 41, "100 %"),
        (0.0, "share", 41, "0 %"),
        (5432.0, "orders", None, "5,432"),
        (3.14, "crew_weeks", None, "3.1 weeks"),
        (None, "hours", None, "—"),
    ],
)
def test_a_value_has_its_unit_and_no_false_precision(value: float | None, unit: str, of: float | None, said: str) -> None:
    assert words.quantity(value, unit, of).replace("\u00a0", " ") == said


def test_a_share_changes_by_points() -> None:
    assert words.change(0.87, 0.91, "share").replace("\u00a0", " ") == "4 pts"
    assert words.change(3.4, 4.1, "hours").replace("\u00a0", " ") == "42 min"


def test_weeks_are_iso_weeks_with_the_iso_year() -> None:
    assert words.period_label(date(2026, 11, 9), "week") == "W46"
    assert words.period_name(date(2025, 12, 29), "week") == "W01 2026"
    assert words.period_span(date(2026, 11, 9), date(2026, 11, 15), "week") == "W46, 9\u201315 Nov 2026"
    assert words.period_span(date(2026, 9, 28), date(2026, 10, 4), "week") == "W40, 28 Sep\u20134 Oct 2026"
    assert words.period_span(date(2026, 11, 1), date(2026, 11, 30), "month") == "Nov 2026"


def test_an_instant_is_told_on_the_clocks_of_the_place() -> None:
    at = datetime(2026, 11, 16, 6, tzinfo=UTC)
    assert words.instant(at, ZoneInfo("America/Chicago")) == "00:00 CST, Mon 16 Nov 2026"
    assert words.instant(at, ZoneInfo("Asia/Kolkata")) == "11:30 IST, Mon 16 Nov 2026"
    assert words.instant(at, ZoneInfo("America/Sao_Paulo")) == "03:00 UTC-03, Mon 16 Nov 2026"


def accepted(column: str) -> set[str]:
    """The values that marts.kpis may have in a column."""
    columns = yaml.safe_load((ROOT / "dbt/models/marts/kpis/kpis.yml").read_text(encoding="utf-8"))["models"][0]["columns"]
    tests = next(each for each in columns if each["name"] == column)["data_tests"]
    return next(set(each["accepted_values"]["arguments"]["values"]) for each in tests if "accepted_values" in each)


def test_every_reason_of_the_kpis_is_in_words_and_a_new_one_is_readable() -> None:
    assert words.REASONS.keys() == accepted("reason")
    assert all(" " in reason for reason in words.REASONS.values())
    assert words.reason("no_meter_reading") == "no meter reading"
    assert words.reason(None) == "no reason given"


def test_every_basis_of_the_kpis_is_in_words() -> None:
    assert words.BASES.keys() == accepted("basis")


def test_i2_no_text_cell_of_a_csv_is_a_formula() -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "=cmd|'/c calc'!A1"]
    file = words.csv(pl.DataFrame({"title": hostile})).decode("utf-8-sig")
    cells = [row[0] for row in reader.reader(io.StringIO(file, newline=""))][1:]
    assert cells == ["'" + cell for cell in hostile]


def test_i2_numbers_dates_and_plain_text_of_a_csv_stay_as_they_are() -> None:
    frame = pl.DataFrame({"title": ["Leak, pump 3", None, "3-phase motor"], "change": [-1.5, 2.0, None], "due_on": [date(2026, 11, 9)] * 3})
    file = words.csv(frame).decode("utf-8-sig")
    assert list(reader.reader(io.StringIO(file))) == [
        ["title", "change", "due_on"],
        ["Leak, pump 3", "-1.5", "2026-11-09"],
        ["", "2.0", "2026-11-09"],
        ["3-phase motor", "", "2026-11-09"],
    ]


def test_markdown_shows_a_text_as_it_is() -> None:
    assert words.verbatim("a *b* :red[c]\n$d$") == r"a \*b\* \:red\[c\] \$d\$"


def test_a_name_inside_a_sentence_keeps_its_acronym() -> None:
    assert words.inside("Mean downtime") == "mean downtime"
    assert words.inside("PM compliance") == "PM compliance"

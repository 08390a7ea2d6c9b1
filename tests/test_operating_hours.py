"""Operating hours: what sites.toml may say of a site's shifts and holidays."""

from datetime import date

import pytest

from dagster_project import operating_hours
from dagster_project.operating_hours import BadHours, Shift


def test_each_day_of_a_range_has_its_shift_in_seconds_of_the_local_day():
    assert operating_hours.shifts(["sat 06:00-14:00", "mon-tue 06:00-22:30"]) == (
        Shift(1, 6 * 3600, 22 * 3600 + 1800),
        Shift(2, 6 * 3600, 22 * 3600 + 1800),
        Shift(6, 6 * 3600, 14 * 3600),
    )


def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins():
    assert operating_hours.shifts(["sun 22:00-06:00"]) == (Shift(7, 22 * 3600, 30 * 3600),)


@pytest.mark.parametrize("entry", ["mon 00:00-24:00", "mon 00:00-00:00"])
def test_a_whole_day_is_a_shift(entry):
    assert operating_hours.shifts([entry]) == (Shift(1, 0, 86_400),)


def test_shifts_that_touch_do_not_overlap_not_even_from_sunday_to_monday():
    assert len(operating_hours.shifts(["mon-sun 00:00-24:00"])) == 7
    assert len(operating_hours.shifts(["sun 22:00-06:00", "mon 06:00-14:00"])) == 2


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("mon 06:00-14:00", "must be a list of days and times"),
        ([], "must be a list of days and times"),
        ([7], r"not \[7\]"),
        (["weekdays"], "entry 'weekdays' must be days and times such as"),
        (["mon 6-14"], "entry 'mon 6-14' must be"),
        (["mon-fry 06:00-14:00"], "unknown day 'fry'; known are mon, tue"),
        (["fri-mon 06:00-14:00"], "mon comes before fri"),
        (["mon 06:00-25:00"], "25:00 is no time of day"),
        (["mon 06:60-14:00"], "06:60 is no time of day"),
        (["mon 06:00-24:01"], "24:01 is no time of day"),
        (["mon 24:00-06:00"], "no shift begins at 24:00"),
        (["mon 06:00-14:00", "mon-fri 13:00-22:00"], "the shift of mon overlaps the next one"),
        (["sun 22:00-06:00", "mon 05:00-13:00"], "the shift of sun overlaps the next one"),
        (["mon 06:00-14:00", "mon 06:00-14:00"], "the shift of mon overlaps the next one"),
    ],
)
def test_a_mistake_in_the_hours_is_named(entries, message):
    with pytest.raises(BadHours, match=message):
        operating_hours.shifts(entries)


def test_holidays_are_dates_in_order():
    assert operating_hours.holidays([date(2026, 12, 25), date(2026, 1, 1)]) == (date(2026, 1, 1), date(2026, 12, 25))


@pytest.mark.parametrize(
    ("days", "message"), [("2026-12-25", "must be a list of dates"), (["x"], "not \\['x'\\]"), ([date(2026, 1, 1)] * 2, "stands twice")]
)
def test_a_mistake_in_the_holidays_is_named(days, message):
    with pytest.raises(BadHours, match=message):
        operating_hours.holidays(days)

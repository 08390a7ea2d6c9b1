"""What a change between two periods is called."""

from datetime import date

import pytest

from dashboards.readings import Reading, joined


def reading(value: float | None, before: float | None, **more: object) -> Reading:
    usual = {
        "kpi": "mttr", "label": "Time to repair", "unit": "hours", "better": "lower", "n": 41, "denominator": 41.0, "basis": "status",
        "coverage_share": None, "interval_low": None, "interval_high": None, "window_state": "closed", "reason": None,
    }  # fmt: skip
    row = usual | {"value": value, "period_start_on": date(2026, 11, 9)} | more
    earlier = usual | {"value": before, "period_start_on": date(2026, 11, 2)}
    return Reading(row, earlier, "week")


def said(change: Reading) -> str:
    return change.change_words.replace("\u00a0", " ")


def test_less_of_what_should_be_low_is_better() -> None:
    assert reading(3.0, 4.0).verdict == "better"
    assert said(reading(3.0, 4.0)) == "▼ 1.0 h better than W45"
    assert reading(5.0, 4.0).verdict == "worse"


def test_more_of_what_should_be_high_is_better() -> None:
    assert reading(0.9, 0.7, unit="share", better="higher").verdict == "better"
    assert said(reading(0.9, 0.7, unit="share", better="higher")) == "▲ 20 pts better than W45"


def test_what_is_neither_good_nor_bad_is_not_judged() -> None:
    change = reading(200.0, 100.0, unit="orders", better="neutral")
    assert change.verdict == "other"
    assert said(change) == "▲ 100 more than W45"


def test_a_change_inside_the_interval_is_no_change() -> None:
    assert reading(0.87, 0.91, unit="share", better="higher", interval_low=0.78, interval_high=0.93).verdict == "steady"
    assert reading(0.87, 0.95, unit="share", better="higher", interval_low=0.78, interval_high=0.93).verdict == "worse"


@pytest.mark.parametrize("n", [0, 4, None])
def test_of_few_no_change_is_told(n: int | None) -> None:
    assert reading(1.0, 9.0, n=n).verdict == "unknown"
    assert said(reading(1.0, 9.0, n=n)) == "9.0 h in W45, too few to compare"


def test_a_count_changes_only_beyond_chance() -> None:
    assert reading(27.0, 34.0, unit="orders", better="higher", n=27).verdict == "steady"
    assert reading(15.0, 34.0, unit="orders", better="higher", n=15).verdict == "worse"


def test_a_small_relative_change_without_an_interval_is_no_change() -> None:
    assert reading(4.2, 4.0).verdict == "steady"
    assert said(reading(4.2, 4.0)) == "no clear change from 4.0 h in W45"


def test_nothing_before_is_said_so() -> None:
    assert said(reading(4.0, None)) == "no value in W45"
    assert said(Reading(reading(4.0, 4.0).row, None, "week")) == "the first period"


def test_no_value_has_its_reason_and_no_change() -> None:
    missing = reading(None, 4.0, reason="no_labour_logged")
    assert missing.change_words == ""
    assert missing.missing_words == "no time was logged"
    assert missing.text == "—"


def test_thin_coverage_is_marked() -> None:
    assert reading(4.0, 4.0, coverage_share=0.79).is_thin
    assert not reading(4.0, 4.0, coverage_share=0.8).is_thin
    assert reading(4.0, 4.0, coverage_share=0.62).coverage.replace("\u00a0", " ") == "62 % of repairs"


def test_a_restated_and_an_open_period_say_so() -> None:
    assert reading(4.0, 4.0, window_state="restated").caption == "n = 41 · time in progress · restated"
    assert reading(4.0, 4.0, window_state="open").caption == "n = 41 · time in progress · so far"


def test_a_list_reads_as_a_sentence() -> None:
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"

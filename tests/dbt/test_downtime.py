"""Downtime and availability: unions, clipping, what is ongoing, what is not tracked."""

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    raw.site()
    raw.run("run-1", "2026-04-15 12:00")
    raw.order(1, "2026-02-10")
    for asset in (1, 2, 3, 4):
        raw.add("assets", asset, name=f"Asset {asset}")
    raw.status(1, 1, "ONLINE", "2026-03-01", "2026-03-05")
    raw.status(2, 1, "OFFLINE", "2026-03-05", "2026-03-05 06:00")
    raw.status(3, 1, "OFFLINE", "2026-03-05 04:00", "2026-03-05 10:00")  # overlaps 2
    raw.status(4, 1, "OFFLINE", "2026-03-05 10:00", "2026-03-05 12:00")  # touches 3
    raw.status(5, 1, "OFFLINE", "2026-03-05 11:00", "2026-03-05 13:00", downtime_type="PLANNED")  # another type: its own interval
    raw.status(6, 1, "OFFLINE", "2026-03-31 12:00", "2026-04-02 12:00")  # straddles the months
    raw.status(7, 2, "OFFLINE", "2026-04-10 12:00")  # ongoing
    raw.status(8, 2, "OFFLINE", "2026-04-01 12:00", "2026-04-01 12:00")  # empty
    raw.status(9, 3, "IGNORE", "2026-04-01", "2026-04-11")
    raw.status(10, 3, "OFFLINE", "2026-04-10", "2026-04-12", downtime_type=None)  # a day of it ignored
    raw.status(11, 3, "OFFLINE", "2026-04-13", "2026-04-13 01:00")
    raw.status(11, 3, "OFFLINE", "2026-04-13", "2026-04-13 01:00", is_deleted=True)
    raw.status(12, 99, "OFFLINE", "2026-03-10", "2026-03-10 02:00")  # of an asset nobody knows
    raw.organisation_id = 2
    raw.site("2")
    raw.run("run-1", "2026-04-15 12:00")
    raw.order(1, "2026-04-10")
    return build(raw, AS_OF)


def test_overlapping_and_touching_entries_of_one_type_are_one_downtime(marts: Marts) -> None:
    columns = "asset_id, downtime_type, started_at, ended_at, downtime_seconds / 3600.0, is_ongoing, status_ids_count"
    assert marts.rows(f"select {columns} from marts.fct_downtime order by asset_id, started_at, downtime_type") == [
        (1, "unplanned", utc("2026-03-05"), utc("2026-03-05 12:00"), 12.0, False, 3),
        (1, "planned", utc("2026-03-05 11:00"), utc("2026-03-05 13:00"), 2.0, False, 1),
        (1, "unplanned", utc("2026-03-31 12:00"), utc("2026-04-02 12:00"), 48.0, False, 1),
        (2, "unplanned", utc("2026-04-10 12:00"), None, 120.0, True, 1),
        (3, "unknown", utc("2026-04-10"), utc("2026-04-12"), 48.0, False, 1),
        (99, "unplanned", utc("2026-03-10"), utc("2026-03-10 02:00"), 2.0, False, 1),
    ]


def test_mean_downtime_takes_whole_unplanned_intervals_where_they_end(marts: Marts) -> None:
    assert marts.values("mean_downtime", 1) == {"2026-02-01": "no_downtime_ended", "2026-03-01": 7.0, "2026-04-01": 48.0}
    assert marts.values("mean_downtime", 2) == {"2026-04-01": "no_status_tracking"}


def test_availability_is_up_hours_of_tracked_hours(marts: Marts) -> None:
    assert marts.kpi("availability", 1, "2026-03-01") == {
        "numerator": 31 * 24 - 13 - 12.0,  # asset 1 alone: the union of planned and unplanned, and half of 31 March
        "denominator": 31 * 24.0,
        "value": (31 * 24 - 25) / (31 * 24),
        "n": 1,
        "coverage_share": 0.5,  # of assets 1 and 4: nothing is known of the others yet
        "basis": "calendar",
        "window_state": "closed",
    }


def test_availability_leaves_out_ignored_hours_and_those_before_the_first_status_and_after_now(marts: Marts) -> None:
    first = 14 * 24 + 12 - 36  # asset 1: 1 April to 15 April 12:00, less a day and a half
    second = 9 * 24  # asset 2: from 1 April 12:00 (its empty entry) until it went down on the 10th at 12:00
    third = 4 * 24 + 12 - 24  # asset 3: tracked from the 11th, down a day of it
    tracked = (14 * 24 + 12) + 14 * 24 + (4 * 24 + 12)
    assert marts.kpi("availability", 1, "2026-04-01") == {
        "numerator": float(first + second + third),
        "denominator": float(tracked),
        "value": (first + second + third) / tracked,
        "n": 3,
        "coverage_share": 0.75,
        "basis": "calendar",
        "window_state": "open",
    }


def test_availability_without_any_status_is_not_a_hundred_per_cent(marts: Marts) -> None:
    assert marts.kpi("availability", 1, "2026-02-01") == {
        "reason": "no_status_tracking",
        "n": 0,
        "coverage_share": 0.0,
        "window_state": "closed",
    }
    assert marts.kpi("availability", 2, "2026-04-01") == {"reason": "no_status_tracking", "n": 0, "window_state": "open"}


def test_hours_of_each_kind_lie_within_the_month_and_of_overlapping_kinds_the_unplanned_one_counts(marts: Marts) -> None:
    assert marts.values("downtime_hours_unplanned", 1) == {"2026-02-01": "no_status_tracking", "2026-03-01": 24.0, "2026-04-01": 156.0}
    assert marts.values("downtime_hours_planned", 1) == {"2026-02-01": "no_status_tracking", "2026-03-01": 1.0, "2026-04-01": 0.0}
    assert marts.values("downtime_hours_unknown", 1) == {"2026-02-01": "no_status_tracking", "2026-03-01": 0.0, "2026-04-01": 24.0}


def test_downtime_that_goes_on_has_no_length_and_lowers_the_coverage(marts: Marts) -> None:
    assert marts.kpi("mean_downtime", 1, "2026-04-01") == {
        "value": 48.0, "numerator": 48.0, "denominator": 1.0, "n": 1, "coverage_share": 0.5, "window_state": "open",
    }  # fmt: skip
    assert marts.values("mean_downtime_p90", 1)["2026-03-01"] == 2 + 0.9 * (12 - 2)


def test_failures_are_unplanned_downtimes_where_they_began(marts: Marts) -> None:
    assert marts.values("failures", 1) == {"2026-02-01": "no_status_tracking", "2026-03-01": 3.0, "2026-04-01": 1.0}
    up = 31 * 24 - 25
    assert marts.kpi("mtbf", 1, "2026-03-01")["value"] == up / 3
    assert marts.kpi("failure_rate", 1, "2026-03-01")["value"] == 3 / (up / 1000)
    assert marts.kpi("mtbm", 1, "2026-03-01")["value"] == up / 4


def test_the_last_90_days_end_with_the_period_or_now(marts: Marts) -> None:
    from_january = 31 * 24 - 25  # in March the 90 days reach back to 1 January, before anybody tracked
    assert marts.kpi("mtbf_90_days", 1, "2026-03-01")["numerator"] == from_january
    april = marts.kpi("availability", 1, "2026-04-01")["numerator"]
    assert marts.kpi("mtbf_365_days", 1, "2026-04-01")["numerator"] == from_january + april
    assert marts.kpi("mtbf_365_days", 1, "2026-04-01")["n"] == 4

"""The oracle's hours, failures, repeats and costs against histories so small that each value is worked out by hand."""

from datetime import date
from typing import Any

import pytest

from simulator.history import Version
from simulator.truth import Organisation, Site
from tests.test_truth import LATER, PLACES, TWO, asset, deleted, done, order, row, status, value

MARCH = 31 * 24
SHIFTS = Organisation(1, "UTC", (Site("1", 1, "UTC", shifts=tuple((day, 6 * 3600, 14 * 3600) for day in range(1, 6))),))
HOLIDAY = Organisation(1, "UTC", (Site("1", 1, "UTC", shifts=((1, 0, 86_400),), holidays=(date(2026, 3, 9),)),))


def online(record_id: int = 99, since: str = "2026-03-01T00:00Z", **fields: Any) -> Version:
    about: dict[str, Any] = {"status": "ONLINE", "downtimeType": None, **fields}
    return status(record_id, since, None, **about)


def test_of_overlapping_kinds_the_unplanned_hours_count_and_each_hour_once():
    versions = [
        order(),
        asset(),
        online(),
        status(1, "2026-03-10T00:00Z", "2026-03-10T10:00Z"),
        status(2, "2026-03-10T08:00Z", "2026-03-10T14:00Z", downtimeType="PLANNED"),
        status(3, "2026-03-10T12:00Z", "2026-03-10T15:00Z", downtimeType=None),
        status(4, "2026-03-10T00:00Z", "2026-03-10T01:00Z", status="IGNORE", downtimeType=None),
    ]
    hours = [value(f"downtime_hours_{kind}", versions) for kind in ("unplanned", "planned", "unknown")]
    assert hours == [9, 4, 1]
    found = row("availability", versions)
    assert (found.numerator, found.denominator) == (MARCH - 1 - 14, MARCH - 1)


def test_downtime_straddling_two_months_is_cut_and_one_that_goes_on_counts_up_to_now():
    versions = [order(), asset(), online(), status(1, "2026-03-31T12:00Z", "2026-04-02T00:00Z"), status(2, "2026-04-09T00:00Z", None)]
    until = {"as_of": "2026-04-10T00:00Z"}
    assert value("downtime_hours_unplanned", versions, **until) == 12
    assert value("downtime_hours_unplanned", versions, "2026-04-01", **until) == 24 + 24
    found = row("mean_downtime", versions, "2026-04-01", **until)
    assert (found.value, found.n, found.coverage_share) == (36, 1, 0.5)
    assert [value("failures", versions, on, **until) for on in ("2026-03-01", "2026-04-01")] == [1, 1]


def test_downtime_of_a_part_is_not_downtime_of_the_machine_above_it():
    versions = [order(), asset(7), asset(8, parentId=7), online(assetId=7), status(1, "2026-03-01T00:00Z", "2026-03-02T00:00Z", assetId=8)]
    found = row("availability", versions)
    assert (found.numerator, found.denominator, found.n) == (2 * MARCH - 24, 2 * MARCH, 2)


def test_operating_hours_leave_out_nights_weekends_and_holidays():
    versions = [order(), asset(), online(), status(1, "2026-03-02T13:00Z", "2026-03-03T07:00Z")]
    found = row("availability", versions, organisation=SHIFTS)
    assert (found.numerator, found.denominator, found.basis) == (22 * 8 - 2, 22 * 8, "operating_calendar")
    assert value("downtime_hours_unplanned", versions, organisation=SHIFTS) == 18
    assert row("availability", versions, organisation=HOLIDAY).denominator == 4 * 24  # five Mondays, one of them a holiday


def test_without_a_failure_there_is_no_mtbf_and_without_operating_time_there_is_nothing_at_all():
    versions = [order(createdAt="2026-03-02T08:00Z"), asset(), online()]
    assert value("mtbf", versions) == "no_failures"
    assert value("mtbm", versions) == "no_stops"
    assert value("failure_rate", versions) == 0
    assert value("mtbf", [order(), asset()]) == "no_status_tracking"
    week: dict[str, Any] = {"grain": "week", "organisation": HOLIDAY}
    assert [value(kpi, versions, "2026-03-09", **week) for kpi in ("availability", "mtbf", "failure_rate")] == ["no_operating_time"] * 3
    assert value("failures", versions, "2026-03-09", **week) == 0


def test_mtbf_is_up_hours_by_failures_and_mtbm_counts_planned_stops_too():
    stops = [
        status(1, "2026-03-05T00:00Z", "2026-03-05T10:00Z"),
        status(2, "2026-03-06T00:00Z", "2026-03-06T10:00Z"),
        status(3, "2026-03-07T00:00Z", "2026-03-07T04:00Z", downtimeType="PLANNED"),
        status(4, "2026-03-08T00:00Z", "2026-03-08T01:00Z", downtimeType=None),
    ]
    versions = [order(), asset(), online(), *stops]
    up = MARCH - 25
    assert value("mtbf", versions) == up / 2
    assert value("mtbm", versions) == up / 3
    assert value("failure_rate", versions) == pytest.approx(2000 / up)
    assert row("mtbf_365_days", versions, "2026-04-01").numerator == up + 30 * 24
    assert row("mtbf_90_days", versions, "2026-04-01").numerator == up + 30 * 24
    assert value("mtbf_90_days", versions, "2026-06-01") == "no_failures"  # they were before 18 March


def test_an_asset_counts_from_its_first_status_until_it_is_gone():
    versions = [order(), asset(7), online(1, "2026-03-11T00:00Z"), asset(8), online(2, "2026-03-01T00:00Z", assetId=8)]
    versions.append(deleted(asset(8), "2026-03-21T00:00Z"))
    found = row("availability", versions, syncs=["2026-03-15T00:00Z", "2026-03-21T00:00Z", LATER])
    assert (found.numerator, found.n) == (21 * 24 + 20 * 24, 2)


def test_an_asset_that_moved_counts_at_each_site_for_its_time_there():
    versions = [*PLACES, order(organisation=TWO), asset(7, TWO, locationId=5001, updatedAt="2026-01-01T00:00Z")]
    moved = asset(7, TWO, locationId=5002, updatedAt="2026-03-11T00:00Z")
    versions += [type(moved)(101, "assets", 7, moved.at.replace(month=3, day=11), moved.record), online(organisation=TWO)]
    syncs: dict[str, Any] = {"syncs": ["2026-03-10T00:00Z", LATER], "organisation": TWO}
    austin, porto = (row("availability", versions, scope=site, **syncs).denominator for site in ("austin", "porto"))
    assert (austin, porto) == (10 * 24 - 6, 21 * 24 - 1)  # from midnight in Austin on, to midnight in Lisbon's summer


def test_a_corrective_order_within_30_days_of_the_last_is_a_repeat_and_no_first_time_fix():
    versions = [
        done(1, "2026-03-03T08:00Z", assetId=7),
        order(2, createdAt="2026-03-10T00:00Z", assetId=7),
        order(3, createdAt="2026-03-10T00:00Z", assetId=8),
        order(4, createdAt="2026-03-10T00:00Z"),
        order(5, createdAt="2026-03-11T00:00Z", assetId=7, type="PREVENTIVE"),
    ]
    found = row("repeat_failure_share", versions)
    assert (found.value, found.n, found.coverage_share) == (1 / 3, 3, 0.75)
    assert value("first_time_fix", versions) == 0
    assert value("first_time_fix", [done(1, assetId=7)]) == 1
    assert value("first_time_fix", [done(1, assetId=7)], as_of="2026-04-29T00:00Z") == "cohort_not_mature"


def test_a_fix_that_was_re_opened_is_none():
    again = done(1, "2026-03-05T08:00Z", assetId=7)
    versions = [done(1, assetId=7), order(1, "2026-03-04T08:00Z", assetId=7), again]
    assert value("first_time_fix", versions, syncs=["2026-03-03T09:00Z", "2026-03-04T09:00Z", LATER]) == 0
    assert value("first_time_fix", versions) == 1  # nobody saw it


def test_labour_of_an_open_order_belongs_to_the_reading_that_showed_it_and_moves_when_it_is_done():
    hour, two = ([{"durationTotal": 3600 * n, "rowTotal": 100 * n}] for n in (1, 2))
    syncs = ["2026-03-10T00:00Z", "2026-04-10T00:00Z", "2026-05-10T00:00Z"]
    versions = [order(1, "2026-03-02T08:00Z", timeItems=hour), order(1, "2026-04-02T08:00Z", timeItems=two)]
    months = ("2026-03-01", "2026-04-01", "2026-05-01")
    assert [value("labour_hours", versions, on, syncs=syncs, as_of=syncs[-1]) for on in months] == [1, 1, 0]
    assert row("labour_hours", versions, syncs=syncs).basis == "observed"
    versions.append(done(1, "2026-05-02T08:00Z", timeItems=two))
    assert [value("labour_hours", versions, on, syncs=syncs, as_of=syncs[-1]) for on in months] == [0, 0, 2]
    assert [value("cost_total", versions, on, syncs=syncs, as_of=syncs[-1]) for on in months] == [0, 0, 2]


def test_costs_are_whole_cents_and_what_has_no_price_lowers_the_coverage():
    spent: dict[str, Any] = {
        "timeItems": [{"durationTotal": 1800, "rowTotal": 1050, "userId": 1}, {"durationTotal": 5400, "userId": 2}],
        "parts": [{"id": 1, "quantityUsed": 2.5, "unitCost": 333}, {"id": 2, "quantityUsed": 1}],
        "expenditures": [{"rowTotal": 7}],
    }
    versions = [done(1, **spent), done(2)]
    labour, parts = row("labour_cost", versions), row("parts_cost", versions)
    assert (labour.value, labour.coverage_share) == (10.5, 0.25)
    assert (parts.value, parts.coverage_share) == (8.33, 0.5)  # 832.5 cents, rounded
    assert value("cost_total", versions) == 10.5 + 8.33 + 0.07
    assert value("cost_per_order", versions) == pytest.approx(18.9 / 2)
    assert value("labour_cost", [done(1, timeItems=[{"durationTotal": 60}])]) == "no_labour_rates"
    assert value("labour_hours", versions) == 2


def test_estimates_and_reactive_work_are_compared_by_hours():
    def worked(order_id: int, hours: int, estimate: int | None, kind: str):
        return done(order_id, timeItems=[{"durationTotal": hours * 3600}], estimatedTime=estimate and estimate * 3600, type=kind)

    versions = [worked(1, 2, 1, "REACTIVE"), worked(2, 1, 3, "PREVENTIVE"), worked(3, 1, None, "OTHER"), done(4)]
    accuracy = row("estimate_accuracy", versions)
    assert (accuracy.value, accuracy.n, accuracy.coverage_share) == (3 / 4, 2, 0.5)
    assert value("reactive_hours_share", versions) == 0.5
    assert value("reactive_share", versions) == 0.5
    assert value("estimate_accuracy", [done(4)]) == "no_estimates"

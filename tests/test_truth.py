"""The oracle against histories so small that each value is worked out by hand."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.history import Version
from simulator.truth import (
    KPIS,
    Distance,
    KpiRow,
    Organisation,
    Site,
    actual,
    distance,
    observable,
    records_at,
    table_of,
    versions_of,
)

ONE = Organisation(1)  # one site, everything in UTC
TWO = Organisation(
    101,
    "America/Chicago",
    (Site("austin", 101, "America/Chicago", 5001, 640.0), Site("porto", 101, "Europe/Lisbon", 5002, 360.0)),
)
HOUR = 3600
LATER = "2026-06-15T00:00Z"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def iso(text: str) -> str:
    return instant(text).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def version(table: str, record_id: int, at: str, organisation: Organisation = ONE, **fields: Any) -> Version:
    record = {"id": record_id} | {
        field: iso(value) if field.endswith(("At", "Date")) and value else value for field, value in fields.items()
    }
    return Version(organisation.id, table, record_id, instant(at), record)


def order(record_id: int = 1, at: str = "2026-03-02T08:00Z", organisation: Organisation = ONE, **fields: Any) -> Version:
    """Return the state of a work order that was created on Monday 2 March 2026 at 8 and last changed at an instant."""
    defaults = {"status": "OPEN", "type": "REACTIVE", "priority": "NONE", "createdAt": "2026-03-02T08:00Z", "updatedAt": at}
    return version("work_orders", record_id, at, organisation, **(defaults | fields))


def done(record_id: int = 1, completed: str = "2026-03-03T08:00Z", organisation: Organisation = ONE, **fields: Any) -> Version:
    return order(record_id, completed, organisation, **({"status": "DONE", "completedAt": completed} | fields))


def deleted(of: Version, at: str) -> Version:
    return Version(of.organisation_id, of.table, of.id, instant(at), None)


def asset(record_id: int = 7, organisation: Organisation = ONE, **fields: Any) -> Version:
    return version("assets", record_id, "2026-01-01T00:00Z", organisation, name="Press", **fields)


def location(record_id: int, parent: int | None = None, organisation: Organisation = TWO) -> Version:
    return version("locations", record_id, "2026-01-01T00:00Z", organisation, name="Place", parentId=parent)


def status(record_id: int, started: str, ended: str | None, organisation: Organisation = ONE, **fields: Any) -> Version:
    defaults = {"assetId": 7, "status": "OFFLINE", "downtimeType": "UNPLANNED", "startedAt": started, "endedAt": ended}
    return version("asset_statuses", record_id, started, organisation, **(defaults | fields))


def rca(record_id: int, orders: list[int], seconds: int | None, **fields: Any) -> Version:
    return version("rca_reports", record_id, "2026-03-05T00:00Z", workOrderIds=orders, repairTime=seconds, **fields)


def rows_of(
    versions: list[Version], as_of: str = LATER, syncs: list[str] | None = None, organisation: Organisation = ONE
) -> dict[tuple[Any, ...], KpiRow]:
    instants = [instant(text) for text in syncs or [as_of]]
    rows = observable(versions, instants, instant(as_of), [organisation])
    rows = [row for row in rows if row.scope_type in {"organisation", "site"}]
    return {(row.kpi, row.scope_id, row.period_grain, row.period_start_on): row for row in rows}


def row(kpi: str, versions: list[Version], on: str = "2026-03-01", scope: str | None = None, **how: Any) -> KpiRow:
    """Return one KPI of a month (of the week if `grain` says so), of the organisation unless a site is named."""
    organisation = how.get("organisation", ONE)
    grain = how.pop("grain", "month")
    return rows_of(versions, **how)[kpi, scope or str(organisation.id), grain, date.fromisoformat(on)]


def value(kpi: str, versions: list[Version], on: str = "2026-03-01", scope: str | None = None, **how: Any) -> float | str | None:
    """Return the value, or else the reason."""
    found = row(kpi, versions, on, scope, **how)
    return found.reason if found.value is None else found.value


PLACES = [location(5001), location(5002), location(5101, 5001), location(5102, 5101), location(5201, 5002)]


# --- days, weeks and months --------------------------------------------------------------------------------------------------


def test_an_order_counts_on_the_day_its_site_shows():
    late_in_february = order(createdAt="2026-03-01T04:00Z", locationId=5102, organisation=TWO)  # 22:00 on 28 February in Austin
    rows = rows_of([*PLACES, late_in_february], organisation=TWO)
    assert rows["created", "austin", "month", date(2026, 2, 1)].value == 1
    assert rows["created", "austin", "month", date(2026, 3, 1)].value == 0
    assert rows["created", "101", "month", date(2026, 2, 1)].value == 1


def moved() -> list[Version]:
    """An asset that stood in Austin until 10 March, then in Porto."""
    stamps = [("2026-01-01T00:00Z", 5102), ("2026-03-10T12:00Z", 5201)]
    return [
        *PLACES,
        *(version("assets", 7, at, TWO, name="Press", locationId=place, updatedAt=at, assetTypes=["Pump"]) for at, place in stamps),
    ]


def test_what_happened_to_an_asset_that_moved_stays_where_it_happened():
    orders = [order(n, createdAt=at, assetId=7, organisation=TWO) for n, at in ((1, "2026-03-02T12:00Z"), (2, "2026-03-12T12:00Z"))]
    stop = status(1, "2026-03-09T12:00Z", "2026-03-11T12:00Z", TWO)
    syncs = ["2026-03-01T00:00Z", LATER]
    rows = rows_of([*moved(), *orders, stop], organisation=TWO, syncs=syncs)
    assert [rows["created", site, "month", date(2026, 3, 1)].value for site in ("austin", "porto", "101")] == [1, 1, 2]
    assert [rows["mean_downtime", site, "month", date(2026, 3, 1)].value for site in ("austin", "porto")] == [48.0, None]
    seen_late = rows_of([*moved(), *orders, stop], organisation=TWO)  # by its last place alone
    assert [seen_late["created", site, "month", date(2026, 3, 1)].value for site in ("austin", "porto")] == [0, 2]


def test_a_deleted_asset_keeps_its_past():
    history = [*moved(), deleted(moved()[-1], "2026-04-01T00:00Z"), order(1, createdAt="2026-03-12T12:00Z", assetId=7, organisation=TWO)]
    rows = observable(history, [instant("2026-03-15T00:00Z"), instant(LATER)], instant(LATER), [TWO])
    created = {(row.scope_type, row.scope_id) for row in rows if row.kpi == "created" and row.period_grain == "year" and row.n}
    assert created == {
        ("organisation", "101"), ("site", "porto"), ("location_subtree", "5201"), ("location_subtree", "5002"), ("asset", "7"),
        ("asset_type", "Pump"),
    }  # fmt: skip


def test_a_team_counts_what_is_assigned_to_it_and_to_its_members():
    team = version("teams", 3, "2026-01-01T00:00Z", members=[{"id": 9}])
    assigned = [order(1, assignees=[{"type": "TEAM", "id": 3}]), order(2, assignees=[{"type": "USER", "id": 9}]), order(3)]
    rows = observable([team, *assigned], [instant(LATER)], instant(LATER), [ONE])
    created = {row.scope_id: row.value for row in rows if (row.kpi, row.scope_type, row.period_grain) == ("created", "team", "month")}
    assert created == {"3": 2}


def test_a_week_begins_on_monday():
    versions = [order(1, createdAt="2026-03-01T23:59Z"), order(2, createdAt="2026-03-02T00:00Z")]
    assert value("created", versions, "2026-02-23", grain="week") == 1
    assert value("created", versions, "2026-03-02", grain="week") == 1


def test_c8_weeks_in_which_the_clocks_change_have_167_and_169_hours():
    online = status(1, "2026-01-01T00:00Z", None, TWO, status="ONLINE", downtimeType=None)
    versions = [*PLACES, asset(locationId=5001, organisation=TWO), online, order(createdAt="2026-03-02T12:00Z", organisation=TWO)]
    rows = rows_of(versions, "2026-12-01T00:00Z", organisation=TWO)
    assert rows["availability", "austin", "week", date(2026, 3, 2)].denominator == 167  # Sunday 8 March
    assert rows["availability", "austin", "week", date(2026, 10, 26)].denominator == 169  # Sunday 1 November
    assert rows["availability", "austin", "week", date(2026, 3, 23)].denominator == 168  # the week in which Porto changes


def test_periods_run_from_the_first_order_to_the_day_of_evaluation_of_each_site():
    versions = [*PLACES, order(createdAt="2026-02-27T12:00Z", locationId=5001, organisation=TWO)]
    rows = rows_of(versions, "2026-04-01T02:00Z", organisation=TWO)  # still 31 March in Austin
    months = {
        scope: [on for kpi, of, grain, on in rows if (kpi, of, grain) == ("created", scope, "month")]
        for scope in ("101", "austin", "porto")
    }
    assert months == {
        "101": [date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)],
        "austin": [date(2026, 2, 1), date(2026, 3, 1)],
        "porto": [date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)],
    }
    assert rows["created", "101", "month", date(2026, 3, 1)].window_state == "open"
    assert rows["created", "porto", "month", date(2026, 3, 1)].window_state == "closed"


def test_periods_go_back_five_years_at_most():
    rows = rows_of([order(createdAt="2019-01-01T00:00Z")], "2026-03-15T00:00Z")
    assert min(on for _, _, grain, on in rows if grain == "month") == date(2021, 3, 1)
    assert rows["backlog_count", "1", "month", date(2021, 3, 1)].value == 1


def test_every_row_has_either_a_value_or_a_reason():
    versions = [order(), done(2), asset(), status(1, "2026-03-03T00:00Z", "2026-03-03T05:00Z")]
    rows = observable(versions, [instant(LATER)], instant(LATER), [ONE])
    assert len(rows) == len({each.key for each in rows})
    # organisation and site; the weeks of 2 March to 15 June, March to June, two quarters, a year
    assert sum(each.scope_type in {"organisation", "site"} for each in rows) == len(KPIS) * 2 * (16 + 4 + 2 + 1)
    assert all((each.value is None) != (each.reason is None) for each in rows)
    assert all((each.value is None) == (each.numerator is None) == (each.denominator is None) for each in rows)


def test_an_organisation_that_was_never_read_has_no_values_at_all():
    rows = observable([order()], [], instant(LATER), [ONE])
    assert {(each.value, each.n, each.reason) for each in rows} == {(None, 0, "not_observed_yet")}
    assert {each.period_start_on for each in rows} == {date(2026, 1, 1), date(2026, 4, 1), date(2026, 6, 1), date(2026, 6, 15)}


# --- sites -------------------------------------------------------------------------------------------------------------------


def test_an_order_belongs_to_the_root_above_its_location_else_above_its_assets():
    versions = [
        *PLACES,
        asset(7, TWO, locationId=5201),
        order(1, locationId=5102, assetId=7, organisation=TWO),
        order(2, assetId=7, organisation=TWO),
        order(3, locationId=9999, assetId=7, organisation=TWO),
    ]
    rows = rows_of(versions, organisation=TWO)
    assert rows["created", "austin", "month", date(2026, 3, 1)].value == 1
    assert rows["created", "porto", "month", date(2026, 3, 1)].value == 2


def test_d9_orders_under_no_root_of_an_unknown_asset_or_in_a_circle_are_unassigned_and_still_summed():
    circle = [location(6001, 6002), location(6002, 6001)]
    versions = [
        *PLACES,
        *circle,
        location(6003),
        order(1, locationId=6001, organisation=TWO),
        order(2, assetId=404, organisation=TWO),
        order(3, locationId=6003, organisation=TWO),
        order(4, locationId=5001, organisation=TWO),
    ]
    rows = rows_of(versions, organisation=TWO)
    assert rows["created", "101-unassigned", "month", date(2026, 3, 1)].value == 3
    assert rows["created", "101", "month", date(2026, 3, 1)].value == 4


def test_a_deleted_location_leads_nowhere():
    gone = deleted(PLACES[2], "2026-03-05T00:00Z")
    versions = [*PLACES, gone, order(locationId=5102, organisation=TWO)]
    assert value("created", versions, scope="101-unassigned", organisation=TWO) == 1


def test_an_only_site_without_a_root_owns_everything_and_one_with_a_root_does_not():
    elsewhere = order(locationId=6003, organisation=TWO)
    rootless = Organisation(101, "America/Chicago", (Site("all", 101, "Europe/Lisbon"),))
    rooted = Organisation(101, "America/Chicago", (Site("some", 101, "Europe/Lisbon", 5002),))
    assert value("created", [location(6003), elsewhere], scope="all", organisation=rootless) == 1
    assert value("created", [location(6003), elsewhere], scope="some", organisation=rooted) == 0
    assert value("created", [location(6003), elsewhere], scope="101-unassigned", organisation=rooted) == 1


def test_an_asset_may_come_expanded_only():
    versions = [*PLACES, asset(7, TWO, locationId=5201), order(asset={"id": 7}, organisation=TWO)]
    assert value("created", versions, scope="porto", organisation=TWO) == 1


# --- lead times --------------------------------------------------------------------------------------------------------------


def test_lead_times_are_hours_from_created_to_completed():
    versions = [
        done(1, "2026-03-02T18:00Z"),  # 10 h
        done(2, "2026-03-04T08:00Z"),  # 48 h
        done(3, "2026-03-02T10:00Z", type="PREVENTIVE"),  # 2 h
        done(4, "2026-03-02T09:00Z", type=None),  # 1 h
        order(5),
    ]
    mean = row("lead_time", versions)
    assert (mean.value, mean.numerator, mean.denominator, mean.n) == (61 / 4, 61, 4, 4)
    assert (mean.coverage_share, mean.basis) == (None, None)
    assert value("lead_time_median", versions) == 6
    reactive = row("lead_time_reactive", versions)
    assert (reactive.value, reactive.n) == (29, 2)
    assert value("lead_time_reactive_median", versions) == 29
    assert value("lead_time", versions, "2026-04-01") == "nothing_completed"


def test_a_duration_is_floored_to_whole_seconds():
    versions = [done(1, "2026-03-02T08:00:01.999Z")]
    assert value("lead_time", versions) == 1 / 3600


def test_c9_an_order_completed_before_it_was_created_is_counted_but_has_no_lead_time():
    versions = [done(1, "2026-03-02T07:00Z"), done(2, "2026-03-02T10:00Z")]
    assert value("completed", versions) == 2
    assert (row("lead_time", versions).value, row("lead_time", versions).n) == (2, 1)
    assert value("lead_time", versions[:1]) == "nothing_completed"


def test_an_organisation_is_hours_over_orders_of_all_sites_not_a_mean_of_means():
    versions = [
        *PLACES,
        done(1, "2026-03-02T10:00Z", TWO, locationId=5001),  # 2 h
        done(2, "2026-03-02T12:00Z", TWO, locationId=5001),  # 4 h
        done(3, "2026-03-03T14:00Z", TWO, locationId=5002),  # 30 h
    ]
    assert value("lead_time", versions, organisation=TWO) == 12
    assert value("lead_time_median", versions, organisation=TWO) == 4


def test_a_reopened_order_is_open_again_and_counts_when_it_was_last_completed():
    first, reopened = done(1, "2026-03-10T08:00Z"), order(1, "2026-04-02T08:00Z")
    last = done(1, "2026-04-10T08:00Z")
    assert value("backlog_count", [order(), first], syncs=["2026-04-01T00:00Z"]) == 0
    assert value("backlog_count", [order(), first, reopened], syncs=["2026-04-01T00:00Z", "2026-04-03T00:00Z"]) == 1
    assert value("completed", [order(), first, reopened]) == 0
    assert value("completed", [order(), first, reopened, last]) == 0
    assert value("completed", [order(), first, reopened, last], "2026-04-01") == 1
    assert value("lead_time", [order(), first, reopened, last], "2026-04-01") == 39 * 24


def test_a_deleted_order_is_out_of_every_period():
    gone = [done(1), deleted(order(), "2026-05-01T00:00Z")]
    assert value("completed", [*gone, done(2)], syncs=["2026-04-01T00:00Z", LATER]) == 1
    assert value("completed", [*gone, done(2)], syncs=["2026-04-01T00:00Z"]) == 2


def test_done_without_an_instant_is_closed_but_not_completed():
    versions = [order(1, "2026-03-20T00:00Z", status="DONE")]
    assert value("completed", versions) == 0
    assert value("backlog_count", versions) == 0
    assert value("backlog_count", versions, "2026-03-09", grain="week") == 1


def test_completed_at_of_an_order_that_is_not_done_is_ignored():
    versions = [order(1, "2026-03-20T00:00Z", status="CANCELED", completedAt="2026-03-20T00:00Z")]
    assert value("completed", versions) == 0


# --- repairs -----------------------------------------------------------------------------------------------------------------


def test_repair_time_comes_from_reports_first():
    versions = [done(1), done(2), done(3, type="PREVENTIVE"), rca(1, [1], 2 * HOUR), rca(2, [1], HOUR), rca(3, [3], 9 * HOUR)]
    found = row("mttr", versions)
    assert (found.value, found.n, found.coverage_share, found.basis) == (3, 1, 0.5, "rca")


def test_a_report_over_several_orders_counts_once_for_the_first_completed():
    versions = [done(1, "2026-04-03T08:00Z"), done(2, "2026-03-03T08:00Z"), done(3, "2026-03-03T08:00Z"), order(4)]
    report = rca(1, [4, 3, 1, 2, 2], 5 * HOUR)
    assert (row("mttr", [*versions, report]).value, row("mttr", [*versions, report]).n) == (5, 1)
    assert value("mttr", [*versions, report], "2026-04-01") == "no_repair_evidence"


def test_reports_archived_deleted_or_without_repair_time_are_no_evidence():
    reports = [rca(1, [1], HOUR, archivedAt="2026-03-06T00:00Z"), rca(2, [1], None), rca(3, [1], 0), rca(4, [1], HOUR)]
    assert value("mttr", [done(1), *reports, deleted(reports[3], "2026-03-07T00:00Z")]) == "no_repair_evidence"


def test_without_repairs_or_without_evidence_there_is_no_mttr():
    assert value("mttr", [done(1, type="PREVENTIVE")]) == "nothing_completed"
    none = row("mttr", [done(1)])
    assert (none.reason, none.n, none.coverage_share) == ("no_repair_evidence", 0, 0)


REPAIR = [
    order(1),
    order(1, "2026-03-02T09:00Z", status="IN_PROGRESS"),
    order(1, "2026-03-02T09:30Z", status="IN_PROGRESS", title="Now with a title"),
    order(1, "2026-03-02T10:00Z", status="ON_HOLD"),
    order(1, "2026-03-02T12:00Z", status="IN_PROGRESS"),
    done(1, "2026-03-02T12:45Z", updatedAt="2026-03-02T12:50Z"),
]
HALF_HOURS = [f"2026-03-02T{hour:02}:{minute:02}Z" for hour in range(8, 14) for minute in (0, 30)]


def test_repair_time_is_time_in_progress_without_holds_when_every_change_was_observed():
    found = row("mttr", REPAIR, syncs=HALF_HOURS)
    assert (found.value, found.n, found.coverage_share, found.basis) == (1.75, 1, 1, "status")


def test_a_change_that_is_not_pinned_to_an_hour_is_no_evidence():
    without_the_hold = [text for text in HALF_HOURS if not "2026-03-02T08:30Z" <= text < "2026-03-02T10:00Z"]
    assert value("mttr", REPAIR, syncs=without_the_hold) == "no_repair_evidence"
    assert value("mttr", REPAIR, syncs=HALF_HOURS[2:]) == "no_repair_evidence"  # first seen in progress


def test_a_change_exactly_an_hour_after_the_reading_before_is_pinned():
    versions = [order(1), order(1, "2026-03-02T10:00Z", status="IN_PROGRESS"), done(1, "2026-03-02T11:00Z")]
    assert value("mttr", versions, syncs=["2026-03-02T09:00Z", "2026-03-02T10:00Z", "2026-03-02T11:00Z"]) == 1
    assert value("mttr", versions, syncs=["2026-03-02T08:59:59Z", "2026-03-02T10:00Z", "2026-03-02T11:00Z"]) == "no_repair_evidence"


def test_an_order_never_seen_in_progress_has_no_repair_time():
    versions = [order(1), done(1, "2026-03-02T08:30Z")]
    assert value("mttr", versions, syncs=["2026-03-02T08:00Z", "2026-03-02T08:30Z"]) == "no_repair_evidence"


def test_a_mean_is_taken_within_the_basis_that_covers_most_repairs():
    reported = [done(2), rca(1, [2], 10 * HOUR)]
    tie = row("mttr", [*REPAIR, *reported], syncs=[*HALF_HOURS, LATER])
    assert (tie.value, tie.basis, tie.n, tie.coverage_share) == (10, "rca", 1, 0.5)
    twin = [Version(each.organisation_id, each.table, 3, each.at, {**(each.record or {}), "id": 3}) for each in REPAIR]
    most = row("mttr", [*REPAIR, *twin, *reported], syncs=[*HALF_HOURS, LATER])
    assert (most.value, most.basis, most.n, most.coverage_share) == (1.75, "status", 2, 2 / 3)


def test_labour_is_logged_hours_per_repair_that_has_any():
    logged = [{"durationTotal": HOUR}, {"durationTotal": 2 * HOUR}, {"durationTotal": None}]
    versions = [done(1, timeItems=logged), done(2, timeItems=[]), done(3, type="PREVENTIVE", timeItems=logged)]
    found = row("mttr_labour", versions)
    assert (found.value, found.n, found.coverage_share, found.basis) == (3, 1, 0.5, "time_items")
    assert value("mttr_labour", versions[1:]) == "no_labour_logged"
    assert value("mttr_labour", versions[2:]) == "nothing_completed"


def test_labour_added_without_a_change_of_updated_at_is_seen():
    silent = Version(1, "work_orders", 1, instant("2026-04-01T00:00Z"), {**(done(1).record or {}), "timeItems": [{"durationTotal": HOUR}]})
    assert value("mttr_labour", [done(1), silent]) == 1


# --- downtime ----------------------------------------------------------------------------------------------------------------


def test_a_downtime_counts_whole_in_the_period_it_ended_in_and_clipped_in_availability():
    versions = [order(), asset(), status(1, "2026-03-31T12:00Z", "2026-04-01T06:00Z")]
    assert value("mean_downtime", versions) == "no_downtime_ended"
    assert (row("mean_downtime", versions, "2026-04-01").value, row("mean_downtime", versions, "2026-04-01").n) == (18, 1)
    assert (row("availability", versions).numerator, row("availability", versions).denominator) == (0, 12)
    assert (row("availability", versions, "2026-04-01").numerator, row("availability", versions, "2026-04-01").denominator) == (714, 720)


def test_overlapping_and_touching_downtimes_are_one_and_kinds_stay_apart():
    versions = [
        order(),
        asset(),
        status(1, "2026-03-02T00:00Z", "2026-03-02T04:00Z"),
        status(2, "2026-03-02T02:00Z", "2026-03-02T06:00Z"),
        status(3, "2026-03-02T06:00Z", "2026-03-02T08:00Z"),
        status(4, "2026-03-02T07:00Z", "2026-03-02T10:00Z", downtimeType="PLANNED"),
        status(5, "2026-03-04T00:00Z", "2026-03-04T02:00Z", downtimeType=None),
        status(6, "2026-03-05T00:00Z", "2026-03-05T02:00Z"),
    ]
    assert (row("mean_downtime", versions).value, row("mean_downtime", versions).n) == (5, 2)  # 8 h and 2 h
    found = row("availability", versions)
    assert (found.denominator, found.numerator) == (30 * 24, 30 * 24 - 14)  # known since 2 March; 10 + 2 + 2 h down


def test_time_that_is_ignored_is_not_tracked_even_when_the_asset_is_offline():
    versions = [
        order(),
        asset(),
        status(1, "2026-03-01T00:00Z", "2026-03-02T00:00Z", status="ONLINE", downtimeType=None),
        status(2, "2026-03-02T00:00Z", "2026-03-03T00:00Z"),
        status(3, "2026-03-02T12:00Z", "2026-03-06T12:00Z", status="IGNORE", downtimeType=None),
    ]
    found = row("availability", versions)
    assert (found.denominator, found.numerator) == (27 * 24, 27 * 24 - 12)
    assert (found.n, found.coverage_share, found.basis) == (1, 1, "calendar")


def test_a_downtime_that_is_not_over_lowers_availability_but_has_no_duration():
    versions = [order(), asset(), status(1, "2026-03-11T00:00Z", None), status(2, "2026-03-15T00:00Z", "2026-03-25T00:00Z")]
    assert value("mean_downtime", versions) == "no_downtime_ended"
    found = row("availability", versions, as_of="2026-03-21T00:00Z", syncs=["2026-03-21T00:00Z"])
    assert (found.value, found.denominator, found.window_state) == (0, 240, "open")
    ends_later = [order(), asset(), status(2, "2026-03-15T00:00Z", "2026-03-25T00:00Z")]
    assert value("mean_downtime", ends_later, as_of="2026-03-21T00:00Z") == "no_downtime_ended"
    assert value("mean_downtime", ends_later) == 240


def test_availability_counts_the_assets_that_are_tracked_and_known():
    versions = [
        order(),
        asset(7),
        asset(8),
        asset(9, createdAt="2026-01-01T00:00Z"),
        status(1, "2026-03-31T00:00Z", "2026-03-31T12:00Z"),
        status(2, "2026-05-01T00:00Z", None, assetId=9),
    ]
    versions += [status(3, "2026-03-01T00:00Z", None, assetId=404), deleted(asset(8), "2026-04-01T00:00Z")]
    found = row("availability", versions)
    assert (found.value, found.n, found.coverage_share) == (0.5, 1, 0.5)
    assert row("availability", versions, "2026-05-01").n == 2


def test_without_any_status_nothing_is_tracked():
    assert value("mean_downtime", [order(), asset()]) == "no_status_tracking"
    none = row("availability", [order(), asset()])
    assert (none.reason, none.n, none.coverage_share) == ("no_status_tracking", 0, 0)
    backwards = status(1, "2026-03-03T00:00Z", "2026-03-02T00:00Z")
    assert value("mean_downtime", [order(), asset(), backwards]) == "no_downtime_ended"


# --- due dates ---------------------------------------------------------------------------------------------------------------


def pm(record_id: int, completed: str | None, due: str = "2026-03-10T12:00Z", **fields: Any) -> Version:
    shared: dict[str, Any] = {"type": "PREVENTIVE", "dueDate": due} | fields
    return done(record_id, completed, **shared) if completed else order(record_id, **shared)


def test_pm_compliance_counts_skipped_and_open_as_missed_and_leaves_cancelled_out():
    versions = [
        pm(1, "2026-03-10T12:00Z"),  # at the deadline: on time
        pm(2, "2026-03-10T12:00:00.001Z"),  # late by a millisecond
        pm(3, None),
        pm(4, None, status="SKIPPED"),
        pm(5, None, status="CANCELED"),
        order(6, type="PREVENTIVE"),  # no due date
        done(7, dueDate="2026-03-10T12:00Z"),  # not a PM
    ]
    found = row("pm_compliance", versions)
    assert (found.value, found.numerator, found.n, found.coverage_share) == (0.25, 1, 4, 5 / 6)
    assert value("pm_compliance_plus_1_day", versions) == 0.5
    assert value("pm_compliance", versions, "2026-04-01") == "nothing_due"


def test_pms_not_due_yet_are_not_in_the_cohort():
    versions = [pm(1, "2026-03-09T12:00Z"), pm(2, "2026-03-09T12:00Z", due="2026-03-11T12:00Z"), pm(3, None, due="2026-03-12T12:00Z")]
    now = "2026-03-11T12:00Z"
    assert (row("pm_compliance", versions, as_of=now).value, row("pm_compliance", versions, as_of=now).n) == (1, 2)
    assert row("pm_compliance_plus_1_day", versions, as_of=now).n == 1
    assert row("vendor_on_time_share", versions, as_of=now).n == 3


def test_a_pm_is_judged_by_its_first_due_date_as_far_as_it_was_seen():
    undated, first = pm(1, None, due=""), pm(1, None, at="2026-03-05T00:00Z")
    pushed = pm(1, "2026-04-04T00:00Z", due="2026-04-05T12:00Z")
    assert value("pm_compliance", [undated, first, pushed], syncs=["2026-03-03T00:00Z", "2026-03-06T00:00Z", LATER]) == 0
    assert value("pm_compliance", [undated, first, pushed], "2026-04-01") == 1
    assert value("vendor_on_time_share", [undated, first, pushed], "2026-04-01", syncs=["2026-03-06T00:00Z", LATER]) == 1


def test_a_full_day_is_named_by_the_organisation_and_ends_with_the_sites_day():
    shared: dict[str, Any] = {
        "type": "PREVENTIVE",
        "dueDate": "2026-03-10T05:00Z",
        "dueDateIsFullDay": True,
        "organisation": TWO,
    }  # 10 March in Chicago
    versions = [
        *PLACES,
        done(1, "2026-03-11T05:00Z", locationId=5001, **shared),  # the last instant of the day in Austin
        done(2, "2026-03-11T05:01Z", locationId=5001, **shared),
        done(3, "2026-03-11T00:00Z", locationId=5002, **shared),  # the last instant of the day in Porto
        done(4, "2026-03-11T00:01Z", locationId=5002, **shared),
    ]
    assert value("pm_compliance", versions, scope="austin", organisation=TWO) == 0.5
    assert value("pm_compliance", versions, scope="porto", organisation=TWO) == 0.5
    assert value("vendor_on_time_share", versions, organisation=TWO) == 0.5


def test_a_full_day_on_the_last_of_a_month_stays_in_that_month():
    last_day: dict[str, Any] = {"type": "PREVENTIVE", "dueDate": "2026-03-31T05:00Z", "dueDateIsFullDay": True, "locationId": 5001}
    assert row("pm_compliance", [*PLACES, done(1, "2026-03-31T23:00Z", TWO, **last_day)], scope="austin", organisation=TWO).n == 1
    instant_of_midnight = last_day | {"dueDate": "2026-04-01T05:00Z", "dueDateIsFullDay": False}
    assert (
        row("pm_compliance", [*PLACES, done(1, "2026-03-31T23:00Z", TWO, **instant_of_midnight)], scope="austin", organisation=TWO).n == 0
    )


def test_the_vendor_counts_what_is_not_due_yet_as_on_time():
    due: dict[str, Any] = {"dueDate": "2026-03-10T12:00Z"}
    versions = [
        done(1, "2026-03-10T12:00Z", **due),
        done(2, "2026-03-10T13:00Z", **due),
        order(3, dueDate="2026-03-20T12:00Z"),
        order(4, **due),
        order(5, status="SKIPPED", **due),
        order(6, status="CANCELED", **due),
        order(7, status="DONE", dueDate="2026-03-20T12:00Z"),
    ]
    found = row("vendor_on_time_share", versions, as_of="2026-03-15T00:00Z")
    assert (found.value, found.n) == (2 / 5, 5)


# --- backlog -----------------------------------------------------------------------------------------------------------------


def test_the_backlog_is_what_was_created_and_not_closed_at_the_end_of_the_period():
    versions = [
        order(1),
        order(2, status="IN_PROGRESS"),
        order(3, status="ON_HOLD", createdAt="2026-04-01T00:00Z"),  # at the very end of March
        order(4, createdAt="2026-04-01T00:00:01Z"),
        done(5, "2026-04-01T00:00:01Z"),
        done(6, "2026-04-01T00:00Z"),  # closed at the end: no longer open
    ]
    assert [value("backlog_count", versions, on) for on in ("2026-03-01", "2026-04-01", "2026-06-01")] == [4, 4, 4]
    found = row("backlog_count", versions)
    assert (found.numerator, found.denominator, found.n, found.window_state) == (4, 1, 4, "closed")


def test_a_cancelled_order_left_the_backlog_when_it_was_first_seen_closed():
    cancelled = order(1, "2026-04-10T00:00Z", status="CANCELED")
    edited = order(1, "2026-05-10T00:00Z", status="CANCELED", title="Edited")
    seen = [order(1), cancelled, edited]
    assert value("backlog_count", seen, "2026-04-01", syncs=["2026-03-05T00:00Z", "2026-04-11T00:00Z", LATER]) == 0
    assert value("backlog_count", seen, "2026-03-01", syncs=["2026-03-05T00:00Z", "2026-04-11T00:00Z", LATER]) == 1
    assert value("backlog_count", seen, "2026-04-01", syncs=["2026-04-11T00:00Z", LATER]) == 1  # never seen open: its last change
    assert value("backlog_count", seen, "2026-05-01", syncs=["2026-04-11T00:00Z", LATER]) == 0


def test_an_order_done_then_cancelled_closed_when_it_was_done():
    versions = [order(1), done(1, "2026-03-10T00:00Z"), order(1, "2026-04-10T00:00Z", status="CANCELED")]
    assert value("backlog_count", versions, syncs=["2026-03-05T00:00Z", "2026-03-11T00:00Z", LATER]) == 0


def test_upcoming_and_overdue_are_parts_of_the_backlog():
    versions = [
        order(1, type="PREVENTIVE", startDate="2026-04-05T00:00Z", dueDate="2026-04-10T00:00Z"),
        order(2, dueDate="2026-03-31T23:59Z"),
        order(3, dueDate="2026-04-01T00:00Z"),
        done(4, "2026-03-30T00:00Z", dueDate="2026-03-10T00:00Z"),
    ]
    assert value("backlog_count", versions) == 3
    assert value("backlog_upcoming_count", versions) == 1
    assert value("backlog_overdue_count", versions) == 1
    assert value("backlog_upcoming_count", versions, "2026-04-01") == 0
    assert value("backlog_overdue_count", versions, "2026-04-01") == 3


def test_a_missing_estimate_is_the_usual_one_of_its_type_and_asset_type_else_of_its_type():
    versions = [
        asset(7, assetTypes=["Pump", "Motor"]),  # Motor comes first by name
        asset(8, assetTypes=["Fan"]),
        done(1, assetId=7, estimatedTime=100),
        done(2, assetId=7, estimatedTime=201),  # the median of the motors: floor of 150.5
        done(3, estimatedTime=10 * HOUR),  # the median of all three: 201
        order(4, assetId=7),
        order(5, assetId=8),
        order(6),
        order(7, estimatedTime=HOUR, type="PREVENTIVE"),
        order(8, type="OTHER"),  # nothing to go by
        order(9, type=None),
    ]
    found = row("backlog_hours", versions)
    assert found.numerator == (150 + 201 + 201 + HOUR) / 3600
    assert (found.n, found.coverage_share, found.basis) == (4, 1 / 6, "estimates")


def test_backlog_hours_need_some_estimate_unless_nothing_is_open():
    assert value("backlog_hours", [order(1)]) == "no_estimates"
    empty = row("backlog_hours", [done(1)])
    assert (empty.value, empty.n, empty.coverage_share) == (0, 0, None)


def test_crew_weeks_divide_all_hours_by_the_crews_of_the_sites():
    versions = [
        *PLACES,
        order(1, locationId=5001, estimatedTime=64 * HOUR, organisation=TWO),
        order(2, locationId=5002, estimatedTime=36 * HOUR, organisation=TWO),
        order(3, estimatedTime=100 * HOUR, organisation=TWO),
    ]
    assert value("backlog_crew_weeks", versions, scope="austin", organisation=TWO) == 0.1
    assert value("backlog_crew_weeks", versions, scope="101-unassigned", organisation=TWO) == "no_crew_hours"
    whole = row("backlog_crew_weeks", versions, organisation=TWO)
    assert (whole.value, whole.numerator, whole.denominator) == (0.2, 200, 1000)
    lacking = Organisation(101, "America/Chicago", (TWO.sites[0], Site("porto", 101, "Europe/Lisbon", 5002)))
    assert value("backlog_crew_weeks", versions, organisation=lacking) == "no_crew_hours"
    assert value("backlog_crew_weeks", [order(1)]) == "no_crew_hours"


# --- flow --------------------------------------------------------------------------------------------------------------------


def test_a_cohort_has_no_completion_share_until_all_had_thirty_days():
    versions = [
        done(1, "2026-04-01T08:00Z"),  # 720 h to the second
        done(2, "2026-04-01T08:00:00.001Z"),
        order(3, status="CANCELED"),
        order(4, status="SKIPPED"),
        done(5, "2026-03-01T08:00Z"),  # before it was created
    ]
    assert (row("completion_within_30_days", versions).value, row("completion_within_30_days", versions).n) == (0.5, 4)
    assert value("completion_within_30_days", versions, "2026-05-01") == "cohort_not_mature"
    assert value("completion_within_30_days", versions, "2026-04-01") == "nothing_created"
    early = row("completion_within_30_days", versions, as_of="2026-04-30T23:59Z")
    assert (early.reason, early.n, early.window_state) == ("cohort_not_mature", 4, "closed")
    assert value("completion_within_30_days", versions, as_of="2026-05-01T00:00Z") == 0.5


def test_pm_share_is_of_all_completed_orders():
    versions = [done(1, type="PREVENTIVE"), done(2), done(3, type=None), done(4, type="OTHER"), order(5, type="PREVENTIVE")]
    assert (row("pm_share", versions).value, row("pm_share", versions).n) == (0.25, 4)
    assert value("pm_share", versions, "2026-04-01") == "nothing_completed"


# --- what was seen -----------------------------------------------------------------------------------------------------------


def test_a_state_that_came_and_went_between_readings_is_not_seen_and_one_that_returns_is():
    a, b, back = order(1, title="A"), order(1, "2026-03-03T00:00Z", title="B"), order(1, "2026-03-04T00:00Z", title="A")
    silent = order(1, "2026-03-05T00:00Z", title="A")
    readings = [instant(f"2026-03-{day:02}T12:00Z") for day in (2, 3, 4, 5, 6)]

    def titles(versions: list[Version], instants: list[datetime], **how: Any) -> list[Any]:
        return [(seen.record or {}).get("title") for seen in versions_of(versions, instants, **how)[1, "work_orders", 1]]

    assert titles([a, b, back], readings) == ["A", "B", "A"]
    assert titles([a, b, back], [readings[0], readings[2]], ignored={"work_orders": {"updatedAt"}}) == ["A"]
    assert titles([a, b, back, silent], readings) == ["A", "B", "A", "A"]
    assert titles([a, b, back, silent], readings, ignored={"work_orders": {"updatedAt"}}) == ["A", "B", "A"]
    assert titles([a, deleted(a, "2026-03-03T00:00Z"), back], readings) == ["A", None, "A"]
    assert versions_of([a, deleted(a, "2026-03-02T09:00Z")], readings) == {}


def test_records_at_an_instant_are_those_that_exist_then():
    versions = [order(1), order(1, "2026-03-03T00:00Z", title="B"), order(2), deleted(order(2), "2026-03-04T00:00Z")]
    found = records_at(versions, instant("2026-03-03T12:00Z"))
    assert {key: record.get("title") for key, record in found.items()} == {(1, "work_orders", 1): "B", (1, "work_orders", 2): None}
    assert list(records_at(versions, instant(LATER))) == [(1, "work_orders", 1)]


def test_organisations_may_be_read_at_different_instants():
    other = Organisation(2)
    versions = [order(1), order(1, organisation=other), done(1), done(1, organisation=other)]
    instants = {1: [instant("2026-03-02T12:00Z")], 2: [instant(LATER)]}
    rows = observable(versions, instants, instant(LATER), [ONE, other])
    completed = {
        each.scope_id: each.value
        for each in rows
        if (each.kpi, each.scope_type, each.period_start_on) == ("completed", "organisation", date(2026, 3, 1))
    }
    assert completed == {"1": 0, "2": 1}


def test_the_distance_tells_what_readings_could_not_see():
    cancelled = order(1, "2026-03-20T00:00Z", status="CANCELED")
    edited = order(1, "2026-04-20T00:00Z", status="CANCELED", title="Edited")
    versions = [order(1), cancelled, edited, done(2)]
    truths = actual(versions, instant(LATER), [ONE])
    views = observable(versions, [instant(LATER)], instant(LATER), [ONE])
    assert distance(truths, truths) == [Distance(kpi, 46, 0, 0.0, 0.0) for kpi in KPIS]
    found = {each.kpi: each for each in distance(truths, views)}
    # organisation and site: the end of March (and of its quarter), and of the weeks from 16 March to 6 April
    assert found["backlog_count"] == Distance("backlog_count", 46, 12, 12 / 46, 1.0)
    assert found["completed"] == Distance("completed", 46, 0, 0.0, 0.0)
    assert table_of(found.values()).splitlines()[0].split() == ["kpi", "rows", "differ", "mean", "max"]


def test_the_whole_history_knows_the_repair_time_that_rare_readings_do_not():
    rows = {each.key: each for each in actual(REPAIR, instant(LATER), [ONE])}
    assert rows["mttr", 1, "site", "1", "month", date(2026, 3, 1)].value == 1.75
    assert value("mttr", REPAIR) == "no_repair_evidence"


def test_what_happens_after_the_instant_of_evaluation_is_not_actual():
    rows = actual([order(1), done(1)], instant("2026-03-03T07:59Z"), [ONE])
    assert {each.value for each in rows if each.kpi == "completed"} == {0}


# --- recorded outages --------------------------------------------------------------------------------------------------------


def recorded(folder: Path) -> list[Version]:
    versions = []
    for file, table in {"workOrders": "work_orders", "assets": "assets", "locations": "locations"}.items():
        with gzip.open(folder / f"{file}.ndjson.gz", "rt") as lines:
            records = [json.loads(line) for line in lines]
        versions += [Version(1001, table, record["id"], datetime.fromisoformat(record["createdAt"]), record) for record in records]
    return versions


@pytest.mark.shared_data
def test_recorded_outages_have_the_figures_of_an_independent_count(shared_data):
    folder = shared_data / "mta_elevators"
    versions, truth = recorded(folder), json.loads((folder / "truth.json").read_text())
    instants = (
        record[field]
        for each in versions
        if (record := each.record)
        for field in ("createdAt", "updatedAt", "completedAt")
        if record.get(field)
    )
    synced = datetime.fromisoformat(max(instants)) + timedelta(minutes=1)
    # the independent count looks back from the end of May, when all that was due in May was due; its PM share is of orders created
    rows = observable(versions, [synced], datetime(2018, 6, 1, tzinfo=UTC), [Organisation(1001)])
    months = {
        (each.period_start_on.strftime("%Y-%m"), each.kpi): each
        for each in rows
        if each.period_grain == "month" and each.scope_type == "site"
    }
    for month in truth["months"]:
        of = {kpi: months[month["month"], kpi] for kpi in KPIS}
        assert {
            "created": of["created"].value,
            "completed": of["completed"].value,
            "mttr_n": of["lead_time_reactive"].n,
            "backlog_end": of["backlog_count"].value,
            "overdue_open_end": of["backlog_overdue_count"].value,
            "pm_due": of["pm_compliance"].n,
            "pm_on_time": of["pm_compliance"].numerator,
            "pm_compliance": round(of["pm_compliance"].value or 0, 4),
        }.items() <= month.items()
        # each of its hours keeps the part of a second that ours floor away
        assert of["lead_time_reactive"].value == pytest.approx(month["mttr_h"], abs=1 / 3600)
        assert of["lead_time_reactive_median"].value == pytest.approx(month["mttr_median_h"], abs=1 / 3600)
        assert of["mttr"].reason == "no_repair_evidence"
        assert of["mttr_labour"].reason == "no_labour_logged"

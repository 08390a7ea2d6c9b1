"""Which site, which local day: orders of two zones around midnight and the change of clocks, in a tree of locations."""

from datetime import date

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    raw.site("austin", "America/Chicago", root_location_id=10, crew_hours_per_week=40.0)
    raw.site("porto", "Europe/Lisbon", root_location_id=20, crew_hours_per_week=20.0, organisation_zone="America/Chicago")
    raw.site("1-unassigned", "America/Chicago", is_unassigned=True)
    raw.run("run-1", "2026-04-15 12:00")
    for location, name, parent in [(10, "Austin", None), (11, "Hall", 10), (20, "Porto", 10), (21, "Dock", 20), (30, "Elsewhere", 7)]:
        raw.add("locations", location, name=name, parent_id=parent)
    raw.add("locations", 40, name="Chicken", parent_id=41)
    raw.add("locations", 41, name="Egg", parent_id=40)
    raw.add("assets", 100, name="Line", location_id=11, asset_types=[{"label": "Pump"}, {"label": "Motor"}])
    raw.add("assets", 101, name="Bearing", parent_id=100)
    raw.add("assets", 200, name="Crane", location_id=21)
    raw.add("assets", 300, name="Scrapped", location_id=11)
    raw.add("assets", 300, name="Scrapped", location_id=11, is_deleted=True)
    raw.order(1, "2026-03-01 05:30", "2026-03-09 04:30", location_id=11)  # Chicago: Saturday 28 February 23:30 to Sunday 8 March 23:30
    raw.order(2, "2026-03-28 23:30", "2026-03-29 23:30", asset_id=200)  # Lisbon: Saturday 28 March 23:30 to Monday 30 March 00:30
    raw.order(3, "2026-03-10 12:00", location_id=30, asset_id=100)
    raw.order(4, "2026-03-10 12:00", location_id=41)
    raw.order(5, "2026-03-10 12:00", asset_id=999)
    raw.order(6, "2026-03-10 12:00", asset_id=300)
    raw.order(7, "2026-03-10 12:00", asset_id=101)
    raw.order(8, "2026-03-10 12:00", location_id=20, asset_id=100)
    raw.order(9, "2026-03-10 12:00", location_id=11, due_at="2026-03-28 12:00", is_due_full_day=True)
    raw.order(10, "2026-03-10 12:00", location_id=21, due_at="2026-03-28 12:00", is_due_full_day=True)
    raw.order(11, "2026-03-10 12:00", location_id=21, due_at="2026-04-02 23:30")
    raw.add("work_orders", 12, title="Deleted", is_deleted=True, created_at="2020-01-01", status="OPEN")
    return build(raw, AS_OF)


def test_d9_a_location_has_its_path_and_those_in_a_circle_are_marked(marts: Marts) -> None:
    columns = "location_id, location_path, depth, root_site_id, site_id, is_in_cycle"
    assert marts.rows(f"select {columns} from marts.dim_locations order by location_id") == [
        (10, "Austin", 0, "austin", "austin", False),
        (11, "Austin / Hall", 1, "austin", "austin", False),
        (20, "Austin / Porto", 1, "porto", "porto", False),
        (21, "Austin / Porto / Dock", 2, "porto", "porto", False),
        (30, "Elsewhere", 0, None, "1-unassigned", False),
        (40, "Egg / Chicken", 1, None, "1-unassigned", True),
        (41, "Chicken / Egg", 1, None, "1-unassigned", True),
    ]


def test_d9_an_asset_that_is_gone_or_was_never_seen_is_kept_as_unknown(marts: Marts) -> None:
    columns = "asset_id, asset_name, asset_path, location_path, site_id, asset_type, is_known"
    assert marts.rows(f"select {columns} from marts.dim_assets order by asset_id") == [
        (100, "Line", "Line", "Austin / Hall", "austin", "Motor", True),
        (101, "Bearing", "Line / Bearing", None, "1-unassigned", None, True),
        (200, "Crane", "Crane", "Austin / Porto / Dock", "porto", None, True),
        (300, "(unknown asset 300)", "(unknown asset 300)", None, "1-unassigned", None, False),
        (999, "(unknown asset 999)", "(unknown asset 999)", None, "1-unassigned", None, False),
    ]


def test_an_order_belongs_to_the_site_of_its_location_else_of_its_asset_else_to_nobodys(marts: Marts) -> None:
    assert marts.rows("select work_order_id, site_id, is_orphan_asset from marts.fct_work_orders order by work_order_id") == [
        (1, "austin", False),
        (2, "porto", False),
        (3, "austin", False),
        (4, "1-unassigned", False),
        (5, "1-unassigned", True),
        (6, "austin", True),
        (7, "1-unassigned", False),
        (8, "porto", False),
        (9, "austin", False),
        (10, "porto", False),
        (11, "porto", False),
    ]


def test_c8_dates_are_those_of_the_sites_calendar_and_hours_are_elapsed_ones(marts: Marts) -> None:
    columns = "work_order_id, created_on, completed_on, lead_hours"
    assert marts.rows(f"select {columns} from marts.fct_work_orders where completed_at is not null order by work_order_id") == [
        (1, date(2026, 2, 28), date(2026, 3, 8), 191.0),
        (2, date(2026, 3, 28), date(2026, 3, 30), 24.0),
    ]


def test_c8_a_full_due_day_is_the_organisations_day_and_ends_at_the_sites_midnight(marts: Marts) -> None:
    assert marts.rows(
        "select work_order_id, due_on, due_at from marts.fct_work_orders where due_at is not null order by work_order_id"
    ) == [
        (9, date(2026, 3, 28), utc("2026-03-29 05:00")),
        (10, date(2026, 3, 28), utc("2026-03-29 00:00")),
        (11, date(2026, 4, 3), utc("2026-04-02 23:30")),
    ]


def test_a_row_stands_for_every_week_and_month_from_the_first_order_to_now(marts: Marts) -> None:
    assert marts.values("completed", 1) == {"2026-02-01": 0.0, "2026-03-01": 2.0, "2026-04-01": 0.0}
    assert marts.values("completed", 1, "week", "porto") == {
        "2026-02-23": 0.0,
        "2026-03-02": 0.0,
        "2026-03-09": 0.0,
        "2026-03-16": 0.0,
        "2026-03-23": 0.0,
        "2026-03-30": 1.0,
        "2026-04-06": 0.0,
        "2026-04-13": 0.0,
    }


def test_the_organisation_adds_its_sites_numerators_and_denominators(marts: Marts) -> None:
    about = {"window_state": "closed", "n": 1, "denominator": 1.0}
    assert marts.kpi("lead_time", 1, "2026-03-01", site="austin") == about | {"value": 191.0, "numerator": 191.0}
    assert marts.kpi("lead_time", 1, "2026-03-01", site="porto") == about | {"value": 24.0, "numerator": 24.0}
    whole = {"window_state": "closed", "n": 2, "denominator": 2.0, "value": 107.5, "numerator": 215.0}
    assert marts.kpi("lead_time", 1, "2026-03-01") == whole
    nothing = {"window_state": "closed", "n": 0, "reason": "nothing_completed"}
    assert marts.kpi("lead_time", 1, "2026-03-01", site="1-unassigned") == nothing


def test_crew_weeks_need_the_crew_hours_of_every_site_but_nobodys(marts: Marts) -> None:
    assert marts.kpi("backlog_crew_weeks", 1, "2026-03-01", site="1-unassigned")["reason"] == "no_crew_hours"
    assert marts.kpi("backlog_crew_weeks", 1, "2026-03-01")["reason"] == "no_estimates"

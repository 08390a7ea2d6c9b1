"""What is finer than a site: locations, asset types, teams and assets; and records placed where their asset stood at the time."""

from typing import Any

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")


def assigned(*teams_and_users: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"assignee_type": kind, "assignee_id": number} for kind, number in teams_and_users]


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    raw.site("austin", "America/Chicago", root_location_id=10)
    raw.site("porto", "Europe/Lisbon", root_location_id=20, organisation_zone="America/Chicago")
    raw.site("1-unassigned", "America/Chicago", is_unassigned=True)
    raw.run("run-1", "2026-03-01 12:00")
    for location, name, parent in [(10, "Austin", None), (11, "Hall", 10), (12, "Bay", 11), (20, "Porto", None), (21, "Dock", 20)]:
        raw.add("locations", location, name=name, parent_id=parent)
    press: dict[str, Any] = {"name": "Press", "asset_types": [{"label": "Pump"}, {"label": "Motor"}]}
    raw.add("assets", 100, location_id=11, updated_at="2026-01-01", **press)
    raw.add("assets", 300, name="Scrapped", location_id=12, updated_at="2026-01-01", asset_types=[{"label": "Pump"}])
    raw.add("teams", 3, name="Night", team_members=[{"user_id": 7, "team_role": "MEMBER"}])
    raw.add("teams", 4, name="Day")
    raw.run("run-2", "2026-04-15 12:00")
    raw.add("assets", 100, location_id=21, updated_at="2026-03-10 12:00", **press)
    raw.add("assets", 300, name="Scrapped", location_id=12, updated_at="2026-01-01", observed_at="2026-04-15 12:00", is_deleted=True)
    raw.order(1, "2026-03-02 10:00", asset_id=100, work_order_assignees=assigned(("TEAM", 3)))
    raw.order(2, "2026-03-12 10:00", asset_id=100, work_order_assignees=assigned(("USER", 7), ("USER", 8)))
    raw.order(3, "2026-03-05 10:00", "2026-03-06 10:00", asset_id=300)
    raw.order(4, "2026-03-06 10:00", location_id=12, work_order_assignees=assigned(("TEAM", 3), ("TEAM", 4)))
    raw.order(5, "2026-01-15 10:00", asset_id=100)
    raw.status(1, 300, "OFFLINE", "2026-03-03 10:00", "2026-03-03 12:00")
    raw.status(2, 100, "OFFLINE", "2026-03-09 12:00", "2026-03-11 12:00")
    raw.status(3, 100, "OFFLINE", "2026-03-11 12:00", "2026-03-11 18:00")
    raw.status(4, 100, "OFFLINE", "2026-03-20 12:00", "2026-03-20 18:00")
    return build(raw, AS_OF)


def test_an_order_of_an_asset_that_moved_belongs_to_the_site_where_it_stood_then(marts: Marts) -> None:
    orders = marts.rows("select work_order_id, site_id, location_path from marts.work_orders order by work_order_id")
    assert orders == [
        (1, "austin", "Austin / Hall"),
        (2, "porto", "Porto / Dock"),
        (3, "austin", "Austin / Hall / Bay"),
        (4, "austin", "Austin / Hall / Bay"),
        (5, "austin", "Austin / Hall"),
    ]
    assert marts.kpi("created", 1, "2026-01-01", site="austin")["value"] == 1  # before the first reading it stood where that found it


def test_downtime_belongs_whole_to_the_place_where_it_began(marts: Marts) -> None:
    rows = marts.rows("select asset_id, site_id, started_at, ended_at, status_ids_count from marts.fct_downtime order by started_at")
    assert rows == [
        (300, "austin", utc("2026-03-03 10:00"), utc("2026-03-03 12:00"), 1),
        (100, "austin", utc("2026-03-09 12:00"), utc("2026-03-11 18:00"), 2),
        (100, "porto", utc("2026-03-20 12:00"), utc("2026-03-20 18:00"), 1),
    ]


def test_a_deleted_asset_keeps_its_past(marts: Marts) -> None:
    assert marts.kpi("mean_downtime", 1, "2026-03-01", site="1-unassigned")["reason"] == "no_downtime_ended"
    assert marts.kpi("mean_downtime", 1, "2026-03-01", scope=("location_subtree", "12"))["value"] == 2.0
    assert marts.kpi("completed", 1, "2026-03-01", scope=("asset", "300"))["value"] == 1
    assert marts.kpi("completed", 1, "2026-03-01", scope=("asset_type", "Pump"))["value"] == 1


def test_the_places_of_an_asset_are_intervals_that_begin_with_what_was_seen_first(marts: Marts) -> None:
    columns = "asset_id, version_number, location_id, site_id, valid_from, valid_to, deleted_at, is_last"
    begin, moved = utc("1970-01-01"), utc("2026-03-10 12:00")
    assert marts.rows(f"select {columns} from marts.dim_asset_versions order by asset_id, version_number") == [
        (100, 1, 11, "austin", begin, moved, None, False),
        (100, 2, 21, "porto", moved, None, None, True),
        (300, 1, 12, "austin", begin, None, utc("2026-04-15 12:00"), True),
    ]


def test_a_location_counts_what_lies_in_it_and_in_all_below(marts: Marts) -> None:
    created = {place: marts.values("created", 1, scope=("location_subtree", place)) for place in ("10", "11", "12", "20", "21")}
    assert created == {
        "10": {"2026-01-01": 1, "2026-03-01": 3},
        "11": {"2026-01-01": 1, "2026-03-01": 3},
        "12": {"2026-03-01": 2},
        "20": {"2026-03-01": 1},
        "21": {"2026-03-01": 1},
    }


def test_a_team_has_the_orders_assigned_to_it_and_to_its_members(marts: Marts) -> None:
    assert marts.values("created", 1, scope=("team", "3")) == {"2026-03-01": 3}
    assert marts.values("created", 1, scope=("team", "4")) == {"2026-03-01": 1}
    assert marts.values("created", 1, "quarter", scope=("team", "3")) == {"2026-01-01": 3}


def test_an_asset_counts_under_each_label_of_its_types_and_alone_by_month_and_longer(marts: Marts) -> None:
    assert marts.values("created", 1, scope=("asset_type", "Pump")) == {"2026-01-01": 1, "2026-03-01": 3}
    assert marts.values("created", 1, scope=("asset_type", "Motor")) == {"2026-01-01": 1, "2026-03-01": 2}
    assert marts.values("created", 1, "year", scope=("asset", "100")) == {"2026-01-01": 3}
    assert marts.values("created", 1, "week", scope=("asset", "100")) == {}


def test_a_scope_of_one_site_has_its_calendar_and_one_of_several_the_organisations(marts: Marts) -> None:
    columns = "scope_id, site_id, time_zone, starts_at, ends_at, is_additive"
    where = "kpi = 'created' and scope_type = 'team' and period_grain = 'month' order by scope_id"
    assert marts.rows(f"select {columns} from marts.kpis where {where}") == [
        ("3", None, None, utc("2026-03-01 00:00"), utc("2026-04-01 05:00"), False),
        ("4", "austin", "America/Chicago", utc("2026-03-01 06:00"), utc("2026-04-01 05:00"), False),
    ]


def test_the_backlog_of_a_finer_scope_stands_in_each_period_in_which_there_was_one(marts: Marts) -> None:
    assert marts.values("backlog_count", 1, scope=("asset", "100")) == {}
    assert marts.values("backlog_count", 1, scope=("location_subtree", "11")) == {
        "2026-01-01": 1,
        "2026-02-01": 1,
        "2026-03-01": 3,
        "2026-04-01": 3,
    }


def test_finer_scopes_have_no_row_where_nothing_counts_and_none_before_two_years(marts: Marts) -> None:
    fine = "scope_type not in ('organisation', 'site')"
    assert marts.rows(f"select count(*) from marts.kpis where {fine} and period_start_on < '2024-04-15'") == [(0,)]
    assert marts.rows(f"select count(*) from marts.kpis where {fine} and period_grain = 'week' and period_start_on < '2025-10-15'") == [
        (0,)
    ]
    assert marts.rows(f"select count(*) from marts.kpis where {fine} and kpi = 'created' and n = 0") == [(0,)]

"""Hours by the operating calendar: shifts, holidays, nights on which clocks change, assets that come, move and go, parts of machines."""

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")
LINE, ROBOT, MOVED, LATE, GONE = 10, 11, 20, 30, 40


def lisbon(raw: RawBuilder) -> None:
    """Two sites on one clock: one with night shifts from Saturday to Sunday and day shifts, one that runs round the clock."""
    raw.site("day", "Europe/Lisbon", root_location_id=1)
    raw.site("always", "Europe/Lisbon", root_location_id=2)
    raw.site("1-unassigned", "Europe/Lisbon", is_unassigned=True)
    raw.hours("day", ["mon-fri 06:00-14:00", "sat 22:00-06:00"], holidays=("2026-03-02",))
    raw.add("locations", 1, name="Day")
    raw.add("locations", 2, name="Always")


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    lisbon(raw)
    raw.run("run-1", "2026-04-10 12:00")
    raw.order(1, "2026-02-10", location_id=1)
    raw.add("assets", LINE, name="Line", location_id=1, created_at="2025-01-01")
    raw.add("assets", ROBOT, name="Robot", location_id=1, parent_id=LINE, created_at="2025-01-01")
    raw.add("assets", MOVED, name="Moved", location_id=1, created_at="2025-01-01")
    raw.add("assets", LATE, name="Late", location_id=2, created_at="2026-03-16")
    raw.add("assets", GONE, name="Gone", location_id=2, created_at="2025-01-01")
    raw.status(1, LINE, "ONLINE", "2026-02-01")
    raw.status(2, ROBOT, "ONLINE", "2026-02-01", "2026-03-28 23:00")
    raw.status(3, ROBOT, "OFFLINE", "2026-03-28 23:00", "2026-03-29 02:00")  # within the night shift of 28 March
    raw.status(4, ROBOT, "OFFLINE", "2026-03-29 12:00", "2026-03-30 06:00")  # Sunday noon to Monday 07:00 local: an hour of a shift
    raw.status(5, MOVED, "ONLINE", "2026-03-01")
    raw.status(6, LATE, "ONLINE", "2026-03-16 12:00")
    raw.status(7, GONE, "ONLINE", "2026-03-01")
    raw.run("run-2", "2026-04-12 12:00")
    raw.add("assets", MOVED, name="Moved", location_id=2, created_at="2025-01-01", updated_at="2026-04-05 23:00")
    raw.add("assets", GONE, is_deleted=True, observed_at="2026-04-12 12:00")
    return build(raw, AS_OF)


def hours(marts: Marts, asset: int, start: str, span: str = "period", grain: str = "month") -> dict[str, tuple[float, float]]:
    """Tracked and available hours of an asset in a period, by site."""
    columns = "site_id, tracked_seconds / 3600.0, available_seconds / 3600.0"
    where = "asset_id = ? and period_start_on = ? and span = ? and period_grain = ?"
    rows = marts.rows(f"select {columns} from intermediate.int_asset_uptime where {where}", asset, start, span, grain)
    return {site: (tracked, available) for site, tracked, available in rows}


def test_the_night_on_which_clocks_go_forward_is_an_hour_shorter(marts: Marts) -> None:
    week = hours(marts, LINE, "2026-03-23", grain="week")["day"]
    assert week == (7 * 24 - 1, 5 * 8 + 7)  # the shift of Saturday 22:00 to Sunday 06:00 has seven hours


def test_a_shift_that_begins_on_a_holiday_does_not_run(marts: Marts) -> None:
    assert hours(marts, LINE, "2026-03-02", grain="week")["day"][1] == 4 * 8 + 8


def test_only_downtime_within_the_shifts_takes_up_time_and_a_part_that_stops_does_not_stop_the_line(marts: Marts) -> None:
    query = "select asset_id, up_seconds / 3600.0 from intermediate.int_asset_uptime where span = 'period' and period_start_on = ?"
    rows = marts.rows(f"{query} and period_grain = 'week' and asset_id in (?, ?) order by asset_id", "2026-03-23", LINE, ROBOT)
    assert rows == [(LINE, 47.0), (ROBOT, 44.0)]
    monday = dict(marts.rows(f"{query} and period_grain = 'week' and asset_id in (?, ?)", "2026-03-30", LINE, ROBOT))
    assert monday[LINE] - monday[ROBOT] == 1.0
    by_clock = marts.values("downtime_hours_unplanned", 1, grain="week", site="day")
    assert (by_clock["2026-03-23"], by_clock["2026-03-30"]) == (3 + 11, 7)  # to Sunday's midnight, 23:00 in UTC, and from there


def test_an_asset_commissioned_within_the_month_counts_from_its_first_status(marts: Marts) -> None:
    assert hours(marts, LATE, "2026-03-01")["always"] == ((15 * 24 + 12) - 1, (15 * 24 + 12) - 1)
    assert hours(marts, LATE, "2026-02-01") == {}


def test_an_asset_that_moved_counts_at_each_site_for_its_time_there(marts: Marts) -> None:
    found = hours(marts, MOVED, "2026-04-01")
    assert found["day"][0] == 5 * 24  # from 31 March 23:00 in UTC to 5 April 23:00
    assert found["always"][0] == 9 * 24 + 13
    assert marts.kpi("availability", 1, "2026-04-01")["n"] == 6  # five assets, one of them at two places


def test_a_deleted_asset_keeps_its_past_up_to_the_reading_that_missed_it(marts: Marts) -> None:
    assert hours(marts, GONE, "2026-04-01")["always"][0] == 11 * 24 + 13


def test_the_basis_says_whose_hours_count(marts: Marts) -> None:
    assert marts.kpi("availability", 1, "2026-03-01", site="day")["basis"] == "operating_calendar"
    assert marts.kpi("availability", 1, "2026-03-01", site="always")["basis"] == "calendar"
    assert marts.kpi("availability", 1, "2026-03-01")["basis"] == "mixed"
    assert marts.kpi("availability", 1, "2026-03-01", site="1-unassigned")["reason"] == "no_status_tracking"


def test_without_a_failure_there_is_no_mtbf_but_a_lower_limit_of_a_third_of_the_hours(marts: Marts) -> None:
    query = "select value, reason, interval_low, interval_high from marts.kpis where kpi = 'mtbf' and scope_type = 'site' and scope_id = ?"
    ((value, reason, low, high),) = marts.rows(f"{query} and period_start_on = '2026-03-01' and period_grain = 'month'", "always")
    up = marts.kpi("availability", 1, "2026-03-01", site="always")["numerator"]
    assert (value, reason, low, high) == (None, "no_failures", up / 3, None)

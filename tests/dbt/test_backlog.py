"""The backlog at the end of each period, its hours and weeks, and what is said of periods reported before."""

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")


def queue(raw: RawBuilder) -> None:
    """Organisation 1: orders at the edges of March, a month whose end in UTC is 1 April 00:00."""
    raw.site(crew_hours_per_week=10.0)
    raw.run("run-1", "2026-04-15 12:00")
    raw.order(1, "2026-03-10", estimated_seconds=7200)
    raw.order(2, "2026-04-01", estimated_seconds=3600)  # created at the very end: in
    raw.order(3, "2026-03-10", "2026-04-01", estimated_seconds=3600)  # closed at the very end: out
    raw.order(4, "2026-03-10", due_at="2026-04-01")  # due at the very end: not overdue yet
    raw.order(5, "2026-03-10", due_at="2026-03-31 23:59:59", estimated_seconds=0)
    raw.order(6, "2026-03-10", start_at="2026-04-01")  # released at the very end: no longer ahead
    raw.order(7, "2026-03-10", start_at="2026-04-20", due_at="2026-04-25", type="PREVENTIVE")
    raw.order(8, "2026-03-20", "2026-03-10")  # completed before it was created
    raw.order(9, "2026-03-10", start_at="2026-05-01", type=None)
    raw.order(10, "2026-03-10", "2026-04-10", due_at="2026-03-20")


def reported(raw: RawBuilder) -> None:
    """Organisation 2: what was published before, under an older and the present definition."""
    raw.site("2")
    raw.site("2b")
    raw.target("2", "created", 9.0)
    raw.run("run-1", "2026-04-15 12:00")
    raw.order(1, "2026-02-10")
    about = {"kpi": "created", "site_id": None, "scope_type": "organisation", "scope_id": "2", "denominator": 1.0, "known_at": "2026-04-01"}
    same = about | {"period_grain": "month", "definition_version": "1", "window_state": "closed"}
    raw.reported(**same | {"period_start_on": "2026-02-01", "value": 2.0, "numerator": 2.0})
    raw.reported(**same | {"period_start_on": "2026-03-01", "value": 0.0, "numerator": 0.0})
    raw.reported(**same | {"period_start_on": "2026-03-01", "value": 5.0, "numerator": 5.0, "window_state": "open"})
    raw.reported(**same | {"period_start_on": "2026-03-01", "value": 6.0, "numerator": 6.0, "definition_version": "0"})
    raw.reported(**same | {"period_start_on": "2026-04-01", "value": 8.0, "numerator": 8.0})
    raw.reported(**same | {"period_start_on": "2026-03-01", "value": 7.0, "numerator": 7.0, "known_at": "2026-05-01"})


def long_ago(raw: RawBuilder) -> None:
    """Organisation 3: an order older than the periods reach."""
    raw.site("3")
    raw.run("run-1", "2026-04-15 12:00")
    raw.order(1, "2010-01-01")
    raw.order(2, "2010-01-01", "2012-01-01")
    raw.order(3, "2026-04-14")


def two_zones(raw: RawBuilder) -> None:
    """Organisation 4: at as_of it is Monday 6 April in Kolkata and still Sunday in Chicago."""
    raw.site("east", "Asia/Kolkata", root_location_id=1)
    raw.site("west", "America/Chicago", root_location_id=2)
    raw.run("run-1", "2026-04-01")
    raw.add("locations", 1, name="East")
    raw.add("locations", 2, name="West")
    raw.order(1, "2026-03-31", location_id=1)
    raw.order(2, "2026-03-31", location_id=2)


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    for organisation_id, fill in enumerate((queue, reported, long_ago), start=1):
        raw.organisation_id = organisation_id
        fill(raw)
    return build(raw, AS_OF)


@pytest.fixture(scope="module")
def sunday_and_monday(build: Build) -> Marts:
    raw = RawBuilder(organisation_id=4)
    two_zones(raw)
    return build(raw, utc("2026-04-05 22:00"))


def test_an_order_is_in_the_backlog_from_its_creation_until_the_instant_it_closes(marts: Marts) -> None:
    assert marts.values("backlog_count", 1) == {"2026-03-01": 8.0, "2026-04-01": 7.0}


def test_c9_an_order_completed_before_it_was_created_is_never_in_the_backlog(marts: Marts) -> None:
    assert marts.values("backlog_count", 1, "week")["2026-03-09"] == 8.0  # 8 was "completed" in this week, created in the next


def test_upcoming_and_overdue_change_at_the_instant_itself(marts: Marts) -> None:
    assert marts.values("backlog_upcoming_count", 1) == {"2026-03-01": 2.0, "2026-04-01": 2.0}  # 7 and 9
    assert marts.values("backlog_overdue_count", 1) == {"2026-03-01": 2.0, "2026-04-01": 2.0}  # 5 and 10, then 4 and 5


def test_backlog_hours_impute_the_median_of_the_type_and_say_how_many_had_their_own(marts: Marts) -> None:
    # own: 2 h, 1 h, 0 h; the median of the reactive ones with an estimate (7200, 3600, 3600, 0) stands in for 4, 6, 10
    march = {"value": 6.0, "numerator": 6.0, "denominator": 1.0, "n": 6, "coverage_share": 3 / 8, "basis": "estimates"}
    assert marts.kpi("backlog_hours", 1, "2026-03-01") == march | {"window_state": "closed"}
    weeks = {"value": 0.6, "numerator": 6.0, "denominator": 10.0, "n": 6, "coverage_share": 3 / 8, "basis": "estimates"}
    assert marts.kpi("backlog_crew_weeks", 1, "2026-03-01") == weeks | {"window_state": "closed"}


def test_without_any_estimate_there_are_no_hours(marts: Marts) -> None:
    assert marts.kpi("backlog_hours", 2, "2026-03-01") == {
        "reason": "no_estimates",
        "n": 0,
        "coverage_share": 0.0,
        "window_state": "closed",
    }
    assert marts.kpi("backlog_hours", 2, "2026-03-01", site="2b")["value"] == 0.0
    assert marts.values("backlog_crew_weeks", 2)["2026-03-01"] == "no_crew_hours"


def test_what_is_older_than_the_periods_is_in_the_first_backlog(marts: Marts) -> None:
    months = marts.values("backlog_count", 3)
    assert (min(months), months["2021-04-01"], months["2026-04-01"], len(months)) == ("2021-04-01", 1.0, 2.0, 61)
    weeks = marts.values("backlog_count", 3, "week")
    assert (min(weeks), weeks["2021-04-12"], weeks["2026-04-13"]) == ("2021-04-12", 1.0, 2.0)


def test_a_closed_period_that_was_reported_otherwise_is_restated(marts: Marts) -> None:
    where = "kpi = 'created' and scope_id = '2' and period_grain = 'month' and site_id is null"
    rows = marts.rows(f"select period_start_on, window_state from marts.kpis where {where}")
    assert {f"{start}": state for start, state in rows} == {"2026-02-01": "restated", "2026-03-01": "closed", "2026-04-01": "open"}


def test_a_sites_own_target_wins_over_the_definitions(marts: Marts) -> None:
    targets = dict(
        marts.rows(
            "select coalesce(site_id, ''), max(target) from marts.kpis where kpi = 'created' and organisation_id = 2 group by site_id"
        )
    )
    assert targets == {"": None, "2": 9.0, "2b": None}
    assert marts.rows("select distinct target from marts.kpis where kpi = 'pm_compliance' and organisation_id = 2") == [(0.9,)]


def test_a_site_has_no_row_in_a_week_it_has_not_reached_but_its_backlog_counts(sunday_and_monday: Marts) -> None:
    assert sunday_and_monday.values("backlog_count", 4, "week") == {"2026-03-30": 2.0, "2026-04-06": 2.0}
    assert sunday_and_monday.values("backlog_count", 4, "week", "east") == {"2026-03-30": 1.0, "2026-04-06": 1.0}
    assert sunday_and_monday.values("backlog_count", 4, "week", "west") == {"2026-03-30": 1.0}
    assert sunday_and_monday.kpi("backlog_count", 4, "2026-03-30", "week")["window_state"] == "open"
    assert sunday_and_monday.kpi("backlog_count", 4, "2026-03-30", "week", "east")["window_state"] == "closed"

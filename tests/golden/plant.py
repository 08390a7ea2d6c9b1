"""Forty work orders made by hand, each one a trap, with the assets, statuses, users and locations that they need.

Two organisations. The first has two sites in two time zones and a third for what lies under neither; the second is one site. All
instants are UTC; `AS_OF` is Monday 4 May 2026, 07:00 in Chicago, 13:00 in Lisbon, 17:30 in Kolkata. Clocks change in Chicago on
8 March and in Lisbon on 29 March. Expected figures: the modules `expected*.py` beside this one.
"""

from typing import Any

import duckdb
import polars as pl

from tests.dbt.raw_builder import TABLES, RawBuilder, utc

AS_OF = utc("2026-05-04 12:00")
HALL, DOCK = 11, 21  # locations in Austin and Porto
HOURLY = ["2026-03-10 08:00", "2026-03-10 09:00", "2026-03-10 10:00", "2026-03-10 10:30", "2026-03-10 11:00"]


def raw() -> RawBuilder:
    """Return the rows of every table of raw and ops."""
    rows = RawBuilder()
    _sites(rows)
    rows.run("march", "2026-03-01 13:00")
    _places(rows)
    rows.order(22, "2026-03-01 12:00", type="PREVENTIVE", location_id=HALL, due_at="2026-03-10 12:00")  # its due date is pushed later
    _repair_watched_by_the_hour(rows)
    rows.run("april", "2026-04-01 12:00")
    rows.order(13, "2026-03-08 12:00", "2026-03-09 12:00", location_id=HALL)  # done, as it seems
    rows.order(14, "2026-03-10 12:00", "2026-03-11 12:00", location_id=HALL)
    rows.order(12, "2026-03-02 12:00", "2026-03-03 12:00", location_id=HALL)
    rows.run("may", "2026-05-04 12:00")
    _calendar_and_closing(rows)
    _preventive(rows)
    _repairs_and_places(rows)
    _downtime(rows)
    _second_organisation(rows)
    return rows


def frames() -> dict[str, pl.DataFrame]:
    """Return every table of raw and ops as a frame, named `<schema>.<table>`."""
    made = raw()
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema raw; create schema ops")
        found = {}
        for table, columns in TABLES.items():
            connection.execute(f"create table {table} ({columns})")
            for row in made.rows[table]:
                names, marks = ", ".join(row), ", ".join("?" * len(row))
                connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))
            found[table] = connection.sql(f"from {table}").pl()
    return found


def _sites(rows: RawBuilder) -> None:
    rows.site("austin", "America/Chicago", root_location_id=10, crew_hours_per_week=40.0)
    rows.site("porto", "Europe/Lisbon", root_location_id=20, crew_hours_per_week=20.0, organisation_zone="America/Chicago")
    rows.site("1-unassigned", "America/Chicago", is_unassigned=True)


def _places(rows: RawBuilder) -> None:
    for location, name, parent in [(10, "Austin", None), (11, "Hall", 10), (20, "Porto", None), (21, "Dock", 20)]:
        rows.add("locations", location, name=name, parent_id=parent)
    rows.add("assets", 100, name="Press", location_id=11, asset_types=[{"label": "Press"}])
    rows.add("assets", 110, name="Mixer", location_id=11, updated_at="2026-01-01", asset_types=[{"label": "Mixer"}])  # in Austin at first
    rows.add("assets", 300, name="Scrapped", location_id=11, updated_at="2026-01-01")
    rows.add("users", 7, first_name="Ada", last_name="Byron", role="MEMBER")
    rows.add("teams", 3, name="Night shift", team_members=[{"user_id": 7, "team_role": "MEMBER"}])


def _repair_watched_by_the_hour(rows: RawBuilder) -> None:
    """Order 43: 50 minutes of work, 50 on hold, 40 of work; each change was seen within an hour of it."""
    states: list[dict[str, Any]] = [
        {"status": "OPEN", "updated_at": "2026-03-10 07:00"},
        {"status": "IN_PROGRESS", "updated_at": "2026-03-10 08:30"},
        {"status": "ON_HOLD", "updated_at": "2026-03-10 09:20"},
        {"status": "IN_PROGRESS", "updated_at": "2026-03-10 10:10"},
        {"status": "DONE", "updated_at": "2026-03-10 10:50", "completed_at": "2026-03-10 10:50"},
    ]
    for at, state in zip(HOURLY, states, strict=True):
        rows.run(f"run-{at[11:13]}{at[14:]}", at)
        done_at = state.pop("completed_at", None)
        labour = [{"user_id": 7, "duration_seconds": 5400, "amount_cents": 3000}] if done_at else []
        rows.order(43, "2026-03-10 07:00", done_at, location_id=HALL, work_order_time_items=labour, **state)


def _calendar_and_closing(rows: RawBuilder) -> None:
    rows.order(1, "2026-03-02 15:00", "2026-03-03 15:00", location_id=HALL, estimated_seconds=3600, work_order_assignees=_team(3))
    rows.order(2, "2026-03-07 18:00", "2026-03-08 18:00", location_id=HALL, work_order_assignees=_user(7))  # clocks change: still 24 h
    rows.order(3, "2026-03-28 20:00", "2026-03-29 20:00", location_id=DOCK)  # and in Lisbon
    rows.order(4, "2026-04-01 03:00", "2026-04-01 04:30", location_id=HALL)  # 31 March, 22:00 to 23:30 in Austin
    rows.order(5, "2026-03-31 23:30", "2026-04-01 01:30", location_id=DOCK)  # 1 April, 00:30 to 02:30 in Porto
    rows.order(6, "2026-03-10 12:00", "2026-03-10 11:00", location_id=HALL, type="OTHER")  # done before it was made
    rows.order(7, "2026-03-03 12:00", "2026-03-23 12:00", location_id=HALL, estimated_seconds=10_800)  # closed weeks late
    rows.order(8, "2026-03-04 12:00", "2026-03-05 00:00", location_id=HALL, type=None)  # imported without a type
    rows.order(9, "2026-03-05 12:00", location_id=HALL, status="CANCELED", updated_at="2026-03-06 12:00")
    rows.order(11, "2026-03-06 12:00", location_id=HALL, status="DONE", updated_at="2026-03-07 12:00")  # done, nobody knows when
    rows.order(12, "2026-03-02 12:00", "2026-03-03 12:00", location_id=HALL, is_deleted=True, observed_at="2026-05-04 12:00")
    rows.order(13, "2026-03-08 12:00", location_id=HALL, updated_at="2026-04-20 12:00")  # open again
    rows.order(14, "2026-03-10 12:00", "2026-04-10 12:00", location_id=HALL)  # opened again, and done again: completedAt is overwritten
    rows.order(55, "2026-04-10 12:00", location_id=DOCK, estimated_seconds=7200)
    rows.order(56, "2026-04-11 12:00", location_id=DOCK)  # no estimate: the median of its type stands in
    rows.order(58, "2026-04-12 12:00", location_id=DOCK, type="OTHER", status="ON_HOLD", estimated_seconds=3600)
    rows.order(59, "2026-05-01 12:00", location_id=HALL, status="IN_PROGRESS")


def _preventive(rows: RawBuilder) -> None:
    pm: dict[str, Any] = {"type": "PREVENTIVE", "location_id": HALL}
    noon = "2026-03-01 12:00"
    rows.order(10, "2026-03-05 12:00", due_at="2026-03-12 12:00", status="SKIPPED", updated_at="2026-03-13 12:00", **pm)
    labour = [{"user_id": 7, "duration_seconds": 1800}]
    rows.order(20, noon, "2026-03-15 11:00", due_at="2026-03-15 12:00", estimated_seconds=1800, work_order_time_items=labour, **pm)
    rows.order(21, noon, "2026-03-15 13:00", due_at="2026-03-15 12:00", **pm)  # an hour late
    rows.order(22, noon, "2026-03-20 12:00", due_at="2026-03-25 12:00", **pm)  # in time only for the date it was pushed to
    day = {"due_at": "2026-03-31 05:00", "is_due_full_day": True}  # all of 31 March, as the organisation writes it
    rows.order(23, "2026-03-30 12:00", "2026-04-01 04:00", **pm | day)  # 31 March, 23:00 in Austin: in time
    rows.order(24, "2026-03-30 12:00", "2026-03-31 23:30", **pm | day | {"location_id": DOCK})  # 1 April, 00:30 in Porto: late
    rows.order(25, noon, due_at="2026-03-20 12:00", **pm)  # open past its due date
    rows.order(26, noon, due_at="2026-03-20 12:00", status="CANCELED", updated_at="2026-03-21 12:00", **pm)
    rows.order(27, "2026-03-25 12:00", "2026-03-30 12:00", due_at="2026-04-05 12:00", **pm)  # of April's cohort, done in March
    rows.order(28, "2026-04-28 12:00", start_at="2026-05-15 12:00", due_at="2026-05-20 12:00", **pm)  # made ahead, not due yet
    rows.order(29, "2026-03-03 12:00", "2026-03-10 12:00", **pm)  # no due date
    rows.order(30, "2026-04-20 12:00", due_at="2026-05-02 12:00", **pm)  # due in the month that is not over


def _repairs_and_places(rows: RawBuilder) -> None:
    two_people = [{"user_id": 7, "duration_seconds": 3600, "amount_cents": 2000}, {"user_id": 8, "duration_seconds": 3600}]
    rows.order(40, "2026-03-12 08:00", "2026-03-12 18:00", location_id=HALL, work_order_time_items=two_people)  # 2 h of labour in 1 h
    rows.order(41, "2026-03-13 08:00", "2026-03-13 10:00", location_id=HALL)
    rows.order(42, "2026-03-13 08:00", "2026-03-13 12:00", location_id=HALL)
    rows.add("rca_reports", 1, repair_seconds=7200, rca_report_work_orders=[{"work_order_id": 40}])
    rows.add("rca_reports", 2, repair_seconds=14_400, rca_report_work_orders=[{"work_order_id": 42}, {"work_order_id": 41}])  # counts once
    rows.add("rca_reports", 3, repair_seconds=99_999, archived_at="2026-04-01", rca_report_work_orders=[{"work_order_id": 1}])
    rows.add("assets", 110, name="Mixer", location_id=21, updated_at="2026-03-10 12:00", asset_types=[{"label": "Mixer"}])  # moved to Porto
    rows.add("assets", 300, name="Scrapped", location_id=11, updated_at="2026-01-01", is_deleted=True, observed_at="2026-05-04 12:00")
    rows.order(50, "2026-03-05 12:00", "2026-03-06 12:00", asset_id=110)  # the mixer stood in Austin
    rows.order(51, "2026-03-12 12:00", "2026-03-13 12:00", asset_id=110)  # and now in Porto
    rows.order(52, "2026-03-16 12:00", "2026-03-17 12:00", location_id=HALL)  # parent of the next one: both are orders
    rows.order(53, "2026-03-16 12:00", "2026-03-17 00:00", location_id=HALL, parent_id=52)
    rows.order(57, "2026-03-09 12:00", asset_id=999)  # an asset that was never seen: nobody's site


def _downtime(rows: RawBuilder) -> None:
    rows.status(1, 100, "OFFLINE", "2026-03-03 10:00", "2026-03-03 12:00")
    rows.status(2, 100, "OFFLINE", "2026-03-03 11:00", "2026-03-03 14:00")  # overlaps: together 4 h
    rows.status(3, 100, "OFFLINE", "2026-03-05 10:00", "2026-03-05 11:00", downtime_type="PLANNED")
    rows.status(4, 100, "IGNORE", "2026-03-06 10:00", "2026-03-06 20:00")
    rows.status(5, 100, "OFFLINE", "2026-03-31 20:00", "2026-04-01 20:00")  # across the end of March
    rows.status(6, 100, "OFFLINE", "2026-05-01 20:00")  # goes on
    rows.status(7, 300, "OFFLINE", "2026-03-07 10:00", "2026-03-07 16:00")  # of an asset that is deleted by now
    rows.status(8, 110, "OFFLINE", "2026-03-09 12:00", "2026-03-11 12:00")  # began before it was moved


def _second_organisation(rows: RawBuilder) -> None:
    rows.organisation_id = 2
    rows.site("pune", "Asia/Kolkata")
    rows.run("may", "2026-05-04 12:00")
    rows.order(60, "2026-03-05 20:00", "2026-03-31 19:00")  # 6 March, 01:30 to 1 April, 00:30 in Kolkata
    rows.order(61, "2026-03-20 12:00", type="PREVENTIVE", due_at="2026-04-09 18:30", is_due_full_day=True)  # all of 10 April


def _team(team_id: int) -> list[dict[str, Any]]:
    return [{"assignee_type": "TEAM", "assignee_id": team_id}]


def _user(user_id: int) -> list[dict[str, Any]]:
    return [{"assignee_type": "USER", "assignee_id": user_id}]

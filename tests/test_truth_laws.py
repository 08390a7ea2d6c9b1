"""What holds of the oracle's KPIs in any history."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.history import Version
from simulator.truth import KpiRow, Organisation, Site, actual, observable
from simulator.truth_calendar import GRAINS

BEGIN = datetime(2026, 2, 25, 7, tzinfo=UTC)
AS_OF = datetime(2026, 5, 20, 5, tzinfo=UTC)
TWO = Organisation(
    101,
    "America/Chicago",
    (Site("austin", 101, "America/Chicago", 5001, 640.0), Site("porto", 101, "Europe/Lisbon", 5002, 360.0)),
)
PLACES = [Version(101, "locations", place, BEGIN, {"id": place, "name": "Place", "updatedAt": BEGIN.isoformat()}) for place in (5001, 5002)]
ADDED_UP = {
    "created", "completed", "lead_time", "lead_time_reactive", "pm_compliance", "pm_compliance_plus_1_day", "vendor_on_time_share",
    "backlog_count", "backlog_upcoming_count", "backlog_overdue_count", "pm_share", "mttr_labour",
}  # fmt: skip
ROLLED_UP = {"created", "completed", "lead_time", "lead_time_reactive", "pm_compliance", "pm_share", "mttr_labour"}
COUNTS = {"created", "completed"}  # their denominator is 1 in every period
SEES_ONLY_WHAT_IS_NEAR = {"mttr"}  # needs a reading within the hour before each change

hours = st.integers(1, 60 * 24)
changes = st.lists(st.tuples(hours, st.sampled_from(["OPEN", "IN_PROGRESS", "ON_HOLD", "DONE", "CANCELED", "SKIPPED"])), max_size=4)
orders = st.fixed_dictionaries(
    {
        "changes": changes,
        "created": hours,
        "due": st.none() | hours,
        "start": st.none() | hours,
        "type": st.sampled_from(["PREVENTIVE", "REACTIVE", "OTHER", None]),
        "locationId": st.sampled_from([5001, 5002, None]),
        "dueDateIsFullDay": st.booleans(),
        "estimatedTime": st.none() | st.integers(0, 9999),
        "labour": st.none() | st.integers(0, 9999),
        "is_deleted": st.booleans(),
    }
)
histories = st.lists(orders, max_size=6).map(
    lambda plans: [*PLACES, *(each for number, plan in enumerate(plans, 1) for each in history(number, plan))]
)


def history(record_id: int, plan: dict[str, Any]) -> list[Version]:
    """Return the versions of one order; no two of any history lie at one instant."""
    at = BEGIN + timedelta(hours=plan["created"], seconds=record_id)
    record = {field: plan[field] for field in ("type", "locationId", "dueDateIsFullDay", "estimatedTime")}
    record |= {"id": record_id, "createdAt": at.isoformat(), "timeItems": [{"durationTotal": plan["labour"]}]}
    record |= {
        field: (at + timedelta(hours=plan[name])).isoformat() for name, field in (("due", "dueDate"), ("start", "startDate")) if plan[name]
    }
    versions = []
    for after, status in [(0, "OPEN"), *plan["changes"]]:
        at += timedelta(hours=after)
        record = record | {"status": status, "updatedAt": at.isoformat()}
        if status == "DONE":
            record["completedAt"] = at.isoformat()
        versions.append(Version(101, "work_orders", record_id, at, record))
    return [*versions, Version(101, "work_orders", record_id, at + timedelta(hours=1), None)] if plan["is_deleted"] else versions


def past(versions: list[Version]) -> list[Version]:
    return [each for each in versions if each.at <= AS_OF]


def without(kpis: set[str], rows: list[KpiRow]) -> list[KpiRow]:
    return [row for row in rows if row.kpi not in kpis]


@given(histories)
@settings(max_examples=60, deadline=None)
def test_sites_add_up_to_their_organisation(versions):
    parts: dict[Any, float] = defaultdict(float)
    totals = {}
    for row in observable(past(versions), [AS_OF], AS_OF, [TWO]):
        if row.kpi in ADDED_UP:
            key = (row.kpi, row.period_grain, row.period_start_on)
            if row.scope_type == "site":
                parts[key] += row.n
            elif row.scope_type == "organisation":
                totals[key] = row.n
    assert {key: parts[key] for key in totals} == totals


@given(histories)
@settings(max_examples=60, deadline=None)
def test_weeks_months_quarters_and_years_hold_the_same_orders(versions):
    created: dict[str, float] = defaultdict(float)
    for row in observable(past(versions), [AS_OF], AS_OF, [TWO]):
        if row.kpi == "created" and row.scope_type == "organisation":
            created[row.period_grain] += row.n
    living = {each.id for each in past(versions) if each.table == "work_orders"} - {
        each.id for each in past(versions) if each.record is None
    }
    assert dict(created) == dict.fromkeys(GRAINS, len(living))


@given(histories)
@settings(max_examples=60, deadline=None)
def test_numerators_and_denominators_of_weeks_months_quarters_and_years_total_alike(versions):
    totals: dict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in observable(past(versions), [AS_OF], AS_OF, [TWO]):
        if row.kpi in ROLLED_UP and row.scope_type in {"organisation", "site"} and row.numerator is not None:
            total = totals[row.kpi, row.scope_id, row.period_grain]
            total[0], total[1] = total[0] + row.numerator, total[1] + (row.denominator or 0.0)
    for kpi, scope_id, grain in list(totals):
        whole, parts = totals[kpi, scope_id, "year"], totals[kpi, scope_id, grain]
        assert parts[0] == pytest.approx(whole[0]), (kpi, scope_id, grain)
        assert kpi in COUNTS or parts[1] == pytest.approx(whole[1]), (kpi, scope_id, grain)


@given(histories)
@settings(max_examples=60, deadline=None)
def test_finer_scopes_of_a_location_hold_what_their_sites_hold(versions):
    rows = {row.key: row for row in observable(past(versions), [AS_OF], AS_OF, [TWO])}
    for root, site in (("5001", "austin"), ("5002", "porto")):
        places = {key: row for key, row in rows.items() if key[2:4] == ("location_subtree", root)}
        assert all(rows[key[0], key[1], "site", site, *key[4:]].value == row.value for key, row in places.items())
        held = [row for row in rows.values() if row.scope_id == site and row.kpi == "created" and row.n]
        assert len(held) == sum(row.kpi == "created" for row in places.values())


@given(histories)
@settings(max_examples=60, deadline=None)
def test_readings_at_every_change_see_all_that_happened(versions):
    instants = sorted({each.at for each in past(versions)} | {AS_OF})
    seen = observable(past(versions), instants, AS_OF, [TWO])
    assert without(SEES_ONLY_WHAT_IS_NEAR, seen) == without(SEES_ONLY_WHAT_IS_NEAR, actual(versions, AS_OF, [TWO]))


@given(histories, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_versions_are_given_never_matters(versions, rng):
    shuffled = list(versions)
    rng.shuffle(shuffled)
    assert actual(shuffled, AS_OF, [TWO]) == actual(versions, AS_OF, [TWO])


@given(histories)
@settings(max_examples=30, deadline=None)
def test_reading_again_when_nothing_changed_changes_nothing(versions):
    days = [BEGIN + timedelta(days=day) for day in range(0, 84, 7)]
    twice = sorted([*days, *(day + timedelta(microseconds=1) for day in days), AS_OF])
    once = observable(past(versions), [*days, AS_OF], AS_OF, [TWO])
    assert without(SEES_ONLY_WHAT_IS_NEAR, observable(past(versions), twice, AS_OF, [TWO])) == without(SEES_ONLY_WHAT_IS_NEAR, once)

"""Labour and cost: whose day, several people, cents, and currencies that are never added."""

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")
HOUR = 3600


def time(seconds: int, cents: int | None, user: int = 1) -> dict[str, int | None]:
    return {"user_id": user, "duration_seconds": seconds, "amount_cents": cents}


def part(quantity: float, unit_cost_cents: int | None) -> dict[str, float | None]:
    return {"part_id": 1, "quantity": quantity, "unit_cost_cents": unit_cost_cents}


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    raw.site("chicago", "America/Chicago", root_location_id=1)
    raw.site("porto", "Europe/Lisbon", root_location_id=2)
    raw.add("locations", 1, name="Chicago")
    raw.add("locations", 2, name="Porto")
    raw.rows["ops.sites"][0]["currency"] = "USD"
    raw.run("run-1", "2026-03-10 12:00")
    # two people for an hour are two hours; done late on 31 March in Chicago, which is April in UTC
    raw.order(
        1, "2026-03-01", "2026-04-01 03:00", location_id=1, estimated_seconds=HOUR,
        work_order_time_items=[time(HOUR, 1001, 1), time(HOUR, 2000, 2)],
        work_order_parts=[part(2.5, 333), part(1.0, None)],
        work_order_costs=[{"cost_type": "EXPENSE", "amount_cents": 5}],
    )  # fmt: skip
    raw.order(2, "2026-03-01", location_id=2, observed_at="2026-03-10 12:00", work_order_time_items=[time(HOUR, None)])
    raw.order(3, "2026-03-01", location_id=2, type="PREVENTIVE")
    raw.run("run-2", "2026-04-02 12:00")
    raw.order(2, "2026-03-01", location_id=2, observed_at="2026-04-02 12:00", work_order_time_items=[time(HOUR, None), time(1800, None)])
    raw.order(
        3, "2026-03-01", "2026-04-02", location_id=2, type="PREVENTIVE",
        work_order_time_items=[time(HOUR // 2, 900)], estimated_seconds=HOUR,
    )  # fmt: skip
    return build(raw, AS_OF)


def test_labour_and_cost_of_a_completed_order_belong_to_its_local_day_of_completion(marts: Marts) -> None:
    columns = "booked_on, booking_basis, labour_seconds, labour_cost_cents, parts_cost_cents, other_cost_cents, total_cost_cents"
    rows = marts.rows(f"select work_order_id, {columns} from marts.fct_work_order_costs order by work_order_id, booked_on")
    assert [(row[0], f"{row[1]}", *row[2:]) for row in rows] == [
        (1, "2026-03-31", "completed", 2 * HOUR, 3001, 833, 5, 3839),  # 2.5 pieces at 333 cents: 832.5, rounded
        (2, "2026-03-10", "observed", HOUR, 0, 0, 0, 0),
        (2, "2026-04-02", "observed", 1800, 0, 0, 0, 0),
        (3, "2026-04-02", "completed", 1800, 900, 0, 0, 900),
    ]


def test_labour_hours_add_people_and_say_how_much_was_only_seen(marts: Marts) -> None:
    assert marts.values("labour_hours", 1) == {"2026-02-01": 0.0, "2026-03-01": 3.0, "2026-04-01": 1.0}
    assert marts.kpi("labour_hours", 1, "2026-03-01")["basis"] == "mixed"
    assert marts.kpi("labour_hours", 1, "2026-03-01", site="porto")["basis"] == "observed"


def test_currencies_are_never_added(marts: Marts) -> None:
    columns = "scope_id, value, reason, currency"
    where = "kpi = 'cost_total' and period_grain = 'month' and period_start_on = '2026-03-01' and scope_type in ('site', 'organisation')"
    assert sorted(marts.rows(f"select {columns} from marts.kpis where {where}")) == [
        ("1", None, "mixed_currencies", None),
        ("chicago", 38.39, None, "USD"),
        ("porto", 0.0, None, "EUR"),
    ]


def test_labour_without_an_amount_has_no_cost_and_parts_without_a_price_lower_the_coverage(marts: Marts) -> None:
    assert marts.kpi("labour_cost", 1, "2026-03-01", site="porto")["reason"] == "no_labour_rates"
    assert marts.kpi("labour_cost", 1, "2026-04-01", site="porto")["coverage_share"] == 0.5
    assert marts.kpi("parts_cost", 1, "2026-03-01", site="chicago")["coverage_share"] == 0.5


def test_estimates_are_compared_where_both_hours_are_known(marts: Marts) -> None:
    assert marts.kpi("estimate_accuracy", 1, "2026-03-01")["value"] == 2.0
    assert marts.kpi("estimate_accuracy", 1, "2026-04-01")["value"] == 0.5
    assert marts.values("reactive_hours_share", 1) == {"2026-02-01": "nothing_completed", "2026-03-01": 1.0, "2026-04-01": 0.0}

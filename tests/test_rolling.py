"""The plan of a comparison: all of it where its share of the requests pays for that, else a part that moves on every day."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project import rolling
from dagster_project.frames.contract import INSTANT
from dagster_project.rolling import Plan, plan
from tests.small_world import NORTHFIELD, NOW, new_warehouse

SCHEMA = {"id": pl.Int64, "created_at": INSTANT, "updated_at": INSTANT, "status": pl.String}


def log_of(created: list[datetime], open_ids: int = 0) -> pl.DataFrame:
    """Return live records, of which the first so many are open; all were last changed two months ago."""
    rows = [(number, at, NOW - timedelta(days=60), "OPEN" if number < open_ids else "DONE") for number, at in enumerate(created)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def years_of(orders: int) -> list[datetime]:
    """Return as many instants, an hour apart, that end three months ago."""
    return [NOW - timedelta(days=90, hours=hour) for hour in range(orders)][::-1]


@pytest.mark.parametrize(("orders", "requests"), [(0, 1), (10_000, 51), (100_000, 501)])
def test_what_the_share_pays_for_is_read_whole(orders, requests):
    assert plan(log_of(years_of(orders)), NOW, None, 1440) == Plan(is_whole=True, requests=requests)


def test_a_share_that_does_not_pay_for_everything_buys_a_part_beside_what_is_open_and_recent():
    created = years_of(10_000)
    bought = plan(log_of(created, open_ids=350), NOW, None, 13)
    assert bought == Plan(is_whole=False, requests=13, since=None, until=created[10 * 200 - 1], days=6)
    assert bought.shortfall is None


def test_a_share_that_needs_more_than_a_month_says_so():
    assert plan(log_of(years_of(10_000)), NOW, None, 0).shortfall == (
        "at RECONCILE_SHARE all of history is compared in 51 days, not in 30: raise it to find deletions sooner"
    )


def test_smaller_pages_cost_more_requests():
    log = log_of(years_of(10_000))
    assert [plan(log, NOW, None, 100, page_rows).is_whole for page_rows in (200, 100, 50)] == [True, False, False]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40), st.integers(1, 5), st.integers(1, 3))
def test_parts_of_any_history_follow_each_other_to_its_end_and_leave_nothing_out(hours, page_rows, allowed):
    log = log_of([NOW - timedelta(days=90) + timedelta(hours=hour) for hour in sorted(hours)])
    reached, read = None, set[int]()
    for _ in range(len(hours) + 1):
        part = plan(log, NOW, reached, allowed, page_rows)
        if part.is_whole:
            return
        since, until = reached or NOW - timedelta(days=999), part.until or NOW
        inside = log.filter(pl.col("created_at").is_between(since, until))
        read |= set(inside["id"])
        reached = part.until
        if reached is None:
            break
    assert read == set(log["id"])


def test_what_comparisons_cost_since_yesterday_is_spent(tmp_path):
    row = {"organisation_id": NORTHFIELD, "endpoint": "assets", "status": "matched", "scope": "full"}
    with new_warehouse(tmp_path) as warehouse:
        for hours, scope, requests in ((1, "full", 5), (22, "full", 7), (23, "full", 100), (2, "first_load", 100)):
            more = {"reconciled_at": NOW - timedelta(hours=hours), "scope": scope, "requests": requests}
            warehouse.insert("reconciliation", [row | more])
        assert (rolling.spent(warehouse, NORTHFIELD, NOW), rolling.spent(warehouse, 0, NOW)) == (12, 0)

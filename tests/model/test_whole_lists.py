"""Lists without a date filter: the sync lives through whatever histories are drawn, on the real store and client."""

import pytest

from tests.model.kinds import mixed

TABLES = ("locations", "asset_statuses")


@pytest.mark.parametrize("table", TABLES)
def test_a_hundred_histories_with_every_fault_but_stale_replicas(lives_through, table):
    lives_through(f"{table}, every fault but stale replicas", mixed(table), 100, steps=4)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("table", TABLES)
def test_a_thousand_histories_with_every_fault_but_stale_replicas(lives_through, table):
    lives_through(f"{table}, every fault but stale replicas", mixed(table), 1000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("table", TABLES)
def test_five_hundred_histories_with_every_fault(lives_through, table):
    lives_through(f"{table}, every fault", mixed(table, without=()), 500)

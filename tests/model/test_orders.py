"""Orders and assets, which are read by date: the sync lives through whatever histories are drawn, on the real store and client."""

import pytest

from tests.model.kinds import KINDS, mixed

TABLES = ("work_orders", "assets")


def test_three_hundred_histories_with_every_fault_but_stale_replicas(lives_through):
    lives_through("orders and assets, every fault but stale replicas", mixed(*TABLES), 300, steps=4)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_four_thousand_histories_with_every_fault_but_stale_replicas(lives_through):
    lives_through("orders and assets, every fault but stale replicas", mixed(*TABLES), 4000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_histories_with_every_fault(lives_through):
    lives_through("orders and assets, every fault", mixed(*TABLES, without=()), 1000)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone(lives_through, kind):
    lives_through(f"orders, {kind}", KINDS[kind], 100)

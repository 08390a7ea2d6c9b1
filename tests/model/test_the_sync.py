"""The project's sync and reconciliation live through whatever histories are drawn, on the real store and the real client."""

import pytest

from tests.model.kinds import KINDS, mixed
from tests.model.machine import Kind, Tally, examine
from tests.model.real import Laboratory

ORDERS = ("work_orders", "assets")


@pytest.fixture(scope="module")
def laboratory():
    with Laboratory() as found:
        yield found


@pytest.fixture
def lives_through(laboratory, capsys):
    """Let the sync live through histories of one kind, and say how many there were."""

    def live(name: str, drawn: Kind, executions: int, steps: int = 6) -> Tally:
        tally = examine(laboratory.real, drawn, executions, steps)
        with capsys.disabled():
            print(
                f"\n{name}: {tally.executions} histories, {tally.syncs} syncs, {tally.requests} requests, 0 broken promises; "
                f"{tally.gave_up} readings gave up and said so"
            )
        assert tally.executions >= executions
        assert tally.gave_up <= tally.syncs // 10
        return tally

    return live


@pytest.mark.parametrize(
    ("tables", "executions"),
    [(ORDERS, 300), (("locations",), 100), (("asset_statuses",), 100)],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_every_fault_but_stale_replicas(lives_through, tables, executions):
    lives_through(f"{', '.join(tables)}, every fault but stale replicas", mixed(*tables), executions, steps=4)


@pytest.mark.slow
@pytest.mark.parametrize(("tables", "executions"), [(ORDERS, 3500), (("locations",), 750), (("asset_statuses",), 750)])
def test_five_thousand_histories_with_every_fault_but_stale_replicas(lives_through, tables, executions):
    lives_through(f"{', '.join(tables)}, every fault but stale replicas", mixed(*tables), executions)


@pytest.mark.slow
@pytest.mark.parametrize("tables", [ORDERS, ("locations",), ("asset_statuses",)])
def test_every_fault_with_stale_replicas(lives_through, tables):
    lives_through(f"{', '.join(tables)}, every fault", mixed(*tables, without=()), 500)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone(lives_through, kind):
    lives_through(kind, KINDS[kind], 100)

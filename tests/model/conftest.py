"""What the model's tests of the real sync share."""

from collections.abc import Callable, Generator

import pytest

from tests.model.machine import Kind, Tally, examine
from tests.model.real import Laboratory


@pytest.fixture(scope="module")
def laboratory() -> Generator[Laboratory]:
    """Warehouses in memory, and batches and slices that fit small histories."""
    with Laboratory() as found:
        yield found


@pytest.fixture
def lives_through(laboratory: Laboratory, capsys: pytest.CaptureFixture) -> Callable[..., Tally]:
    """Let the sync live through so many histories of one kind, and say how many there were."""

    def live(name: str, drawn: Kind, executions: int, steps: int = 6) -> Tally:
        tally = examine(laboratory.real, drawn, executions, steps)
        with capsys.disabled():
            print(
                f"\n{name}: {tally.executions} histories, {tally.syncs} syncs, {tally.requests} requests, no promise broken; "
                f"{tally.gave_up} readings gave up and said so"
            )
        assert tally.executions >= executions
        assert tally.gave_up <= tally.syncs // 4  # cursors that expire twice, crashes of the source: most readings get through
        return tally

    return live

"""`kill -9` at every place of a reading: the log recovers, equal to a fresh full sync and to a reading that nobody interrupted."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kills import children
from tests.kills.plant import STEPS
from tests.kills.soak import soak
from tests.kills.stages import Stage, all_killed, drawn, stages


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stage]]:
    with stages(tmp_path_factory.mktemp("stages")) as found:
        yield found


def test_f1_killed_once_at_each_kind_of_place_a_reading_recovers_and_equals_a_fresh_full_sync(plant, tmp_path: Path, capsys):
    first: dict[str, tuple[Stage, int]] = {}
    for stage in reversed(plant):  # prefer the later steps: they have a past to lose
        first = {name: (stage, nth) for name, nth in stage.one_of_each()} | first
    wanted = [(stage, ((name, nth),)) for name, (stage, nth) in sorted(first.items())]
    assert {"sync.before_batch", "commit.versions", "commit.tombstone", "transaction.after_commit", "run.finished"} <= set(first)
    wrong = all_killed(tmp_path, wanted)
    with capsys.disabled():
        print(f"\nkilled at {len(wanted)} kinds of places of a reading: {len(wanted) - len(wrong)} of {len(wanted)} recovered")
    assert wrong == []


def test_f3_killed_again_while_recovering_a_reading_still_ends_equal(plant, tmp_path: Path):
    assert all_killed(tmp_path, drawn(random.Random(1), plant, times=3)) == []


def test_a_reading_without_transactions_would_be_found_out(plant, tmp_path: Path):
    wrong = plant[0].killed(tmp_path / "wrong", ("commit.children", 1), reading=children.read_without_transactions_and_die)
    assert any("a version after the latest" in problem or "two versions of one number" in problem for problem in wrong)
    assert any("differs from an uninterrupted reading" in problem for problem in wrong)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("step", STEPS)  # one by one: each says what came of it
def test_f1_killed_at_every_place_that_a_reading_reaches_it_recovers_and_equals_a_fresh_full_sync(plant, tmp_path: Path, capsys, step: str):
    stage = next(stage for stage in plant if stage.step == step)
    wrong = all_killed(tmp_path, [(stage, (place,)) for place in stage.places])
    survived = len(stage.places) - len({each.split(": ")[0] for each in wrong})
    with capsys.disabled():
        print(f"\n{step}, killed at every place: {survived} of {len(stage.places)} recovered")
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_f3_fifty_readings_killed_again_while_recovering_end_equal(plant, tmp_path: Path):
    assert all_killed(tmp_path, drawn(random.Random(2), plant, times=50)) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_f3_a_reading_killed_at_random_instants_recovers_equal_each_time(plant, tmp_path: Path):
    recoveries, wrong = soak(tmp_path, plant, kills=20, seed=3, progress=False)
    assert recoveries >= 7
    assert wrong == []

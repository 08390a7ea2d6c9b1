"""The shortest histories known that break a copy: each naive one breaks on its own, the project's sync lives through all."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.model.history import Broken, History, Outside, Populate, Step, Sweep, Sync, Wait
from tests.model.menu import FAULTS
from tests.model.naive import ALGORITHMS
from tests.model.source import Op, Setting


@dataclass(frozen=True)
class Counterexample:
    """A history, and the naive algorithm that it breaks."""

    name: str
    algorithm: str
    broken: str
    setting: Setting
    steps: tuple[Step, ...]


def case(name: str, algorithm: str, broken: str, *steps: Step, **setting: Any) -> Counterexample:
    return Counterexample(name, algorithm, broken, Setting(**setting), steps)


CASES = (
    case("a_row_read_and_changed_before_the_last_page", "vendor basic", "STALE",
         Populate(5), Sync([Op("update", 1), Op("update", 5)]), default_sort="id"),
    case("a_row_that_moves_to_the_end_pulls_another_out_of_sight", "vendor + overlap", "LOST",
         Populate(4, 12), Sync([Op("update", 1)]), is_keyset=False),
    case("a_deletion_pulls_a_row_out_of_sight", "clock at end", "LOST",
         Populate(4), Sync([Op("delete", 1)]), is_keyset=False, default_sort="id"),
    case("a_crash_after_the_page_with_the_newest_row", "checkpoint, unsorted", "LOST",
         Populate(4), Sync(crash_at=1)),
    case("a_cursor_that_expires_after_the_page_with_the_newest_row", "checkpoint, unsorted", "LOST",
         Populate(4), Sync([Op("expire", ticks=0)])),
    case("a_crash_between_the_watermark_and_its_rows", "state before data", "LOST",
         Populate(2), Sync(crash_at=1)),
    case("a_change_stamped_before_the_clock_that_was_noted", "extractedAt", "STALE",
         Populate(1, 6), Sync(), Outside([Op("update", 1, 1)]), granularity=4),
    case("a_clock_that_is_ahead", "extractedAt", "STALE",
         Populate(1), Sync(), Outside([Op("update", 1)]), skew=3),
    case("a_new_row_of_the_instant_that_was_read_last", "strictly later", "LOST",
         Populate(1, 4), Sync(), Outside([Op("create", 2, 1)]), granularity=4),
    case("a_change_with_an_older_stamp_that_comes_later", "anchored, newer wins", "STALE",
         Populate(2), Sync(), Outside([Op("late_update", 1, 1, 4), Op("update", 1)]), Sync(), Wait(4)),
    case("a_row_that_leaves_a_group_of_one_instant", "+ older rows read again", "LOST",
         Populate(5, 0), Sync([None, Op("update", 1, 20)]), is_keyset=False, granularity=4),
    case("a_deletion_while_all_is_compared", "+ sweep, absent = deleted", "FALSE-DELETE",
         Populate(5), Sync(), Sweep([Op("delete", 1)]), is_keyset=False),
    case("an_order_that_begins_long_after_it_was_made", "vendor + overlap", "LOST",
         Populate(1), Outside([Op("create", 8, 1, 12)]), Sync(), Wait(10), Outside([Op("update", 1)]), Sync()),
    case("a_page_from_a_replica_that_lags_behind", "extractedAt", "LOST",
         Populate(3), Sync([Op("stale", ticks=0, n=4)])),
    case("the_same_row_twice", "append", "DUPLICATE",
         Populate(1), Sync()),
    case("a_deletion", "vendor + overlap", "GHOST",
         Populate(2), Sync(), Outside([Op("delete", 1)])),
    case("the_deletion_of_all_there_is", "vendor + overlap", "GHOST",
         Populate(2), Sync(), Outside([Op("delete", 1), Op("delete", 2)])),
    case("a_change_that_updatedat_does_not_tell", "+ ties to a fixed point", "STALE",
         Populate(2, 12), Sync(), Outside([Op("silent", 1)])),
)  # fmt: skip


def faults_of(example: Counterexample) -> frozenset[str]:
    return FAULTS if "stale" in str(example.steps) else FAULTS - {"stale"}


@pytest.mark.parametrize("example", CASES, ids=lambda example: example.name)
def test_a_naive_copy_breaks_on(example):
    ghosts = {"deletes"} if example.broken == "GHOST" else set()
    history = History(example.setting, ALGORITHMS[example.algorithm], faults_of(example) - {"deletes"} | ghosts)
    with pytest.raises(Broken) as caught:
        history.live_through(example.steps)
    assert caught.value.kind == example.broken


def test_a_deletion_behind_a_sweep_that_died_is_found_by_the_next_days_sweep(laboratory):
    died = Sweep([None, Op("update", 2), None, Op("delete", 1)], crash_at=7)
    History(Setting(is_keyset=False, page=1), laboratory.real, FAULTS - {"stale"}).live_through((Populate(6, 4), Sync(), died))


@pytest.mark.parametrize("table", ["work_orders", "assets", "locations", "asset_statuses"])
@pytest.mark.parametrize("example", CASES, ids=lambda example: example.name)
def test_the_sync_lives_through(laboratory, table, example):
    History(replace(example.setting, table=table), laboratory.real, faults_of(example)).live_through(example.steps)

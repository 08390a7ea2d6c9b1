"""Each naive way to copy a list that changes is caught by the kind of fault that it cannot bear; else the model test proves nothing."""

import pytest

from tests.model.kinds import KINDS, mixed
from tests.model.machine import killed
from tests.model.naive import ALGORITHMS

ENOUGH = 1500  # histories; drawing ends at the first hole, after another number of them with other modules imported
SOON = (  # within seconds: an algorithm, a fault, what breaks
    ("extractedAt", "ties", {"LOST", "STALE"}),
    ("extractedAt", "clock ahead", {"LOST", "STALE"}),
    ("extractedAt", "page mutation and deletion, offset", {"LOST", "STALE"}),
    ("clock at end", "page mutation, keyset", {"LOST", "STALE"}),
    ("strictly later", "ties", {"LOST", "STALE"}),
    ("strictly later", "page mutation, offset", {"LOST", "STALE"}),
    ("vendor basic", "page mutation, keyset", {"LOST", "STALE"}),
    ("vendor basic", "late commit", {"LOST", "STALE"}),
    ("append", "ties", {"DUPLICATE"}),
    ("checkpoint, unsorted", "crash", {"LOST", "STALE"}),
    ("checkpoint, unsorted", "cursor expiry", {"LOST", "STALE"}),
    ("checkpoint, sorted", "page mutation, offset", {"LOST", "STALE"}),
    ("state before data", "crash", {"LOST", "STALE"}),
    ("vendor + overlap", "page mutation, offset", {"LOST", "STALE"}),
    ("vendor + overlap", "upcoming", {"LOST"}),
    ("+ ties to a fixed point", "deletes, undeletes, ids used again", {"GHOST"}),
    ("+ ties to a fixed point", "silent", {"STALE"}),
    ("+ sweep, absent = deleted", "page mutation and deletion, offset", {"FALSE-DELETE"}),
)
LATER = (
    ("anchored, newer wins", "late commit", {"STALE"}),
    ("anchored, newer wins", "ties and page mutation, offset", {"LOST", "STALE"}),
    ("+ older rows read again", "ties and page mutation, offset", {"LOST", "STALE"}),
    ("extractedAt", "stale replica", {"LOST", "STALE"}),
)
ALWAYS = {  # what no reader of updatedAt alone can know
    "deletes, undeletes, ids used again": {"GHOST"},
    "silent": {"STALE"},
}


def name_of(value: object) -> str | None:
    return value.replace(",", "").replace(" ", "-") if isinstance(value, str) else ""


@pytest.mark.parametrize(("algorithm", "kind", "broken"), SOON, ids=name_of)
def test_a_naive_copy_is_caught_by_its_fault(algorithm, kind, broken):
    tally = killed(ALGORITHMS[algorithm], KINDS[kind], ENOUGH)
    assert tally.found is not None
    assert tally.found.kind in broken


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "kind", "broken"), LATER, ids=name_of)
def test_a_rare_hole_of_a_naive_copy_is_found_within_two_thousand_histories(algorithm, kind, broken):
    tally = killed(ALGORITHMS[algorithm], KINDS[kind], 2000)
    assert tally.found is not None
    assert tally.found.kind in broken


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if "sweep" not in name and name != "append"])
@pytest.mark.parametrize("kind", ALWAYS)
def test_no_copy_that_only_asks_for_what_changed_sees_deletions_and_silent_changes(algorithm, kind):
    tally = killed(ALGORITHMS[algorithm], KINDS[kind], 100)
    assert tally.found is not None
    assert tally.found.kind in ALWAYS[kind] | {"LOST", "STALE"}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_breaks_the_copy_without_a_hole(kind):
    assert killed(ALGORITHMS["+ sweep confirmed by id"], KINDS[kind], 60).found is None


@pytest.mark.parametrize("without", [("stale",), ()], ids=["every-fault-but-stale-replicas", "every-fault"])
def test_all_faults_together_do_not_break_the_copy_without_a_hole(without):
    tally = killed(ALGORITHMS["+ sweep confirmed by id"], mixed("work_orders", without=without), 150)
    assert tally.found is None
    assert tally.syncs > 250

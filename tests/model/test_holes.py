"""The sync with one of its precautions taken away is caught: the model test would see it go missing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dagster_project import absence, ingest, visit, walk
from dagster_project.maintainx.endpoints import BY_TABLE
from tests.model.history import Broken, History, Outside, Populate, Step, Sync, Wait
from tests.model.menu import FAULTS
from tests.model.source import Op, Setting


@pytest.fixture
def live(laboratory):
    """Let the sync live through one history."""

    def live(*steps: Step, **setting: object) -> None:
        History(replace(Setting(), **setting), laboratory.real, FAULTS - {"stale"}).live_through(steps)

    return live


def test_without_the_overlap_a_late_change_is_lost(live, monkeypatch):
    steps = Populate(2), Sync(), Outside([Op("late_update", 1, 1, 4), Op("update", 2, 2)]), Sync(), Wait(4)
    live(*steps)
    monkeypatch.setitem(BY_TABLE, "work_orders", replace(BY_TABLE["work_orders"], overlap=timedelta(0)))
    with pytest.raises(Broken, match="STALE: 1 after the sync"):
        live(*steps)


def test_without_a_second_question_a_row_that_goes_backwards_stays_as_it_was(live, monkeypatch):
    steps = Populate(2), Sync(), Outside([Op("late_update", 1, 1, 4), Op("update", 1)]), Sync(), Wait(4)
    live(*steps)
    monkeypatch.setattr(visit, "read_again", lambda *_: {})
    with pytest.raises(Broken, match="STALE: 1 after the sync"):
        live(*steps)


def test_without_confirmation_a_row_out_of_sight_is_deleted(live, monkeypatch):
    steps = Populate(5), Sync(), Sync([Op("delete", 1)])
    live(*steps, table="locations", is_keyset=False)
    monkeypatch.setattr(absence, "confirmed", lambda list_, warehouse, absent: list(absent))
    with pytest.raises(Broken, match="FALSE-DELETE"):
        live(*steps, table="locations", is_keyset=False)


def test_without_a_second_reading_a_row_of_a_group_is_lost(live, monkeypatch):
    imported = Outside([Op("update", id_, 16 if id_ == 1 else 0) for id_ in range(1, 6)])
    steps = Populate(5), Sync(), imported, Wait(12), Sync([None, Op("update", 1, 20)])
    live(*steps, is_keyset=False, granularity=4)

    def once(read_all: walk.ReadAll, field: str, value: datetime, step: timedelta) -> Iterator[object]:
        yield from read_all([(f"{field}[gte]", walk.iso(value)), (f"{field}[lte]", walk.iso(value)), ("sort", field)])

    monkeypatch.setattr(walk, "_tied", once)
    with pytest.raises(Broken, match="STALE: 3"):
        live(*steps, is_keyset=False, granularity=4)


def test_with_the_watermark_ahead_of_its_rows_a_crash_loses_them(live, monkeypatch):
    steps = Populate(2, 12), Sync(), Outside([Op("update", 1, 9), Op("update", 2, 9)]), Sync(crash_at=1)
    live(*steps)
    store = visit.Visit.store

    def state_first(self: visit.Visit, pages: list, moves_watermark: bool = False, states: tuple = ()) -> ingest.Intake:
        newest = max((at.updated_at for page in pages for at in walk.stamps(page, "updatedAt") if at.updated_at), default=None)
        self.save(replace(self.main, watermark=visit.latest_of(self.main.watermark, newest)))
        return store(self, pages, moves_watermark, states)

    monkeypatch.setattr(visit.Visit, "store", state_first)
    with pytest.raises(Broken, match=r"INVARIANT|STALE"):
        live(*steps)

"""Five things that an API does to its rows one day, and what becomes of the row, of its neighbours, and of the days after.

An event is survived when the sync ends well, every other row is as the source has it, the row itself is shown as the source has it or set
aside with a reason, and after the source has gone back to normal the next sync shows it as it then is.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.contest import Course, Entry
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.holding import Holding, differences, holding
from benchmarks.peers.source import Plant
from simulator.instants import HOUR

KEY = "work_orders"
NEIGHBOURS = 50


@dataclass(frozen=True, slots=True)
class Event:
    """What happens to one row."""

    name: str
    patch: dict[str, Any]  # fields that the list shows instead
    removed: str | None = None  # a field that is gone
    shown: tuple[str, Any] | None = None  # what the contestant must show of the row, beside what is always compared


EVENTS = (
    Event("new key", {"riskScore": 7}, shown=("risk", 7)),
    Event("key removed", {}, removed="priority"),
    Event("int becomes a string", {"sequentialId": "WO-7"}, shown=("number", "WO-7")),
    Event("new enum value", {"status": "ARCHIVED"}),
    Event("null in a required field", {"title": None}),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one event."""

    event: str
    is_survived: bool
    what: str


def schema_events(contestant: Contestant, course: Course, say: Callable[[str], None]) -> list[Verdict]:
    """Let each event happen to a contestant that has loaded the plant."""
    found = []
    for event in EVENTS:
        plant = Plant(course.scale, course.seed, share=0.0, lag=0)
        plant.world.clear()
        with tempfile.TemporaryDirectory(prefix="events-") as name, plant.served():
            folder = Path(name) / "data"
            folder.mkdir()
            found.append(_verdict(event, Entry(contestant, plant, folder)))
        say(f"{contestant.name}, {event.name}: {found[-1].what}")
    return found


def _verdict(event: Event, entry: Entry) -> Verdict:
    if not entry.sync().is_well:
        return Verdict(event.name, False, "the first load fails")
    victim = _stir(entry.plant, event)
    ended = entry.sync()
    held = holding(entry.contestant, entry.folder)
    what, is_right = _row(event, victim, entry.plant, held) if ended.is_well else (f"the sync fails (exit {ended.status})", False)
    others = _others_wrong(victim, entry.plant, held)
    if others:
        what, is_right = f"{what}; {others} other rows are wrong", False
    _go_back(entry.plant, victim)
    after = entry.sync()
    left = entry.differences()
    if not after.is_well or left.wrong:
        what, is_right = f"{what}; afterwards exit {after.status}, {left.wrong} rows wrong", False
    return Verdict(event.name, is_right, what)


def _stir(plant: Plant, event: Event) -> int:
    """Change some rows and let the event happen to one of them; return its id."""
    plant.storm.wait_until(plant.world.now + HOUR)
    victim = plant.turmoil.mine[KEY][0]
    for number in plant.turmoil.mine[KEY][:NEIGHBOURS]:
        plant.turmoil.edit(KEY, number)
    if event.removed:
        plant.world.change(KEY, plant.organisation_id, victim, **{event.removed: None})
    if event.patch:
        plant.storm.patches = {str(victim): event.patch}
    plant.storm.wait_until(plant.world.now + HOUR)
    return victim


def _go_back(plant: Plant, victim: int) -> None:
    plant.storm.patches = {}
    plant.storm.wait_until(plant.world.now + HOUR)
    plant.world.change(KEY, plant.organisation_id, victim, priority="HIGH", title="back to normal")
    plant.storm.wait_until(plant.world.now + HOUR)


def _row(event: Event, victim: int, plant: Plant, held: Holding) -> tuple[str, bool]:
    """Say what became of the row, and whether that will do."""
    key = KEY, victim
    if key in held.set_aside:
        return f"set aside: {held.set_aside[key]}", True
    if key not in held.rows:
        return "the row is gone", False
    wanted = plant.truth()[key]._replace(**{name: value for name, value in event.patch.items() if name in {"title", "status"}})
    if held.rows[key] != wanted:
        return f"shown as {tuple(held.rows[key])}", False
    if event.shown is None:
        return "shown as it is", True
    shown = held.shown[key][event.shown[0]]
    if str(shown) == str(event.shown[1]):
        return "shown as it is", True
    return ("the new value is left out", True) if event.name == "new key" else (f"shown as {shown!r}", False)


def _others_wrong(victim: int, plant: Plant, held: Holding) -> int:
    truth = {key: row for key, row in plant.truth().items() if key != (KEY, victim)}
    rows = {key: row for key, row in held.rows.items() if key != (KEY, victim)}
    return differences(truth, rows, held.double).wrong

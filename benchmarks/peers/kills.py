"""Fifty times kill -9 in the midst of a sync, each from the same state: what one further sync then leaves wrong.

Half of the kills strike a first load, half a sync with changes, each at a random moment of the contestant's own time for it. The plant
stands still and no request fails, and nothing was deleted or changed silently: an unkilled sync of every contestant is exact, which is
checked first. A kill is survived when the next sync ends well and every row is as the source has it.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.peers.contest import Course, Entry, WrongCount
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.source import Plant
from simulator.instants import HOUR

CHANGED_ORDERS, CHANGED_ASSETS, NEW_ORDERS = 400, 60, 40
MOST_MISSES = 40  # kills that came after the end of the sync; they are drawn again


@dataclass(slots=True)
class Kills:
    """How many kills struck, and how many were survived."""

    struck: int = 0
    survived: int = 0
    worst: str = ""


def kills(contestant: Contestant, course: Course, count: int, say: Callable[[str], None]) -> Kills:
    """Kill `count` times and tell how many were survived."""
    plant = Plant(course.scale, course.seed, share=0.0, lag=0)
    with tempfile.TemporaryDirectory(prefix="kills-") as name, plant.served():
        rng = Random(f"kills {course.seed}")  # noqa: S311  repeatable, not secret
        trial = _Trial(Entry(contestant, plant, Path(name) / "data"), Path(name) / "before", rng, say)
        trial.entry.folder.mkdir()
        plant.world.clear()
        trial.series(count - count // 2)
        trial.restore()
        trial.unkilled()
        _change(plant)
        trial.keep()
        trial.series(count // 2)
    say(f"{contestant.name}: {trial.found.survived} of {trial.found.struck} kills survived {trial.found.worst}")
    return trial.found


def _change(plant: Plant) -> None:
    """Let a few hours of edits pass."""
    turmoil, world = plant.turmoil, plant.world
    plant.storm.wait_until(world.now + HOUR)
    for _ in range(CHANGED_ORDERS):
        turmoil.edit_any("work_orders")
    for _ in range(CHANGED_ASSETS):
        turmoil.edit_any("assets")
    for _ in range(NEW_ORDERS):
        turmoil.create("work_orders", world.now)
    plant.storm.wait_until(world.now + HOUR)


class _Trial:
    """One state from which syncs are killed."""

    def __init__(self, entry: Entry, before: Path, rng: Random, say: Callable[[str], None]) -> None:
        self.entry, self.before, self.rng, self.say = entry, before, rng, say
        self.found = Kills()
        self.keep()

    def keep(self) -> None:
        """Remember the state as it is."""
        shutil.rmtree(self.before, ignore_errors=True)
        if self.entry.folder.exists():
            shutil.copytree(self.entry.folder, self.before, symlinks=True)

    def restore(self) -> None:
        """Go back to it."""
        shutil.rmtree(self.entry.folder)
        if self.before.exists():
            shutil.copytree(self.before, self.entry.folder, symlinks=True)
        else:
            self.entry.folder.mkdir()

    def unkilled(self) -> float:
        """Sync without a kill and return the seconds; it must be exact."""
        ended = self.entry.sync()
        found = self.entry.differences()
        if not ended.is_well or found.wrong:
            raise WrongCount(f"{self.entry.contestant.name}: exit {ended.status}, {found} without any kill:\n{self.entry.log_tail()}")
        return ended.wall_seconds

    def series(self, count: int) -> None:
        """Kill so many syncs from this state."""
        seconds = self.unkilled()
        struck, misses = 0, 0
        while struck < count and misses < MOST_MISSES:
            self.restore()
            if self.entry.sync(kill_after=seconds * self.rng.random()).status >= 0:
                misses += 1
                continue
            struck += 1
            self._judge()
            if struck % 5 == 0:
                self.say(f"{self.entry.contestant.name}: {self.found.survived} of {self.found.struck} kills survived so far")

    def _judge(self) -> None:
        ended = self.entry.sync()
        found = self.entry.differences()
        self.found.struck += 1
        if ended.is_well and not found.wrong:
            self.found.survived += 1
        else:
            self.found.worst = f"(the last that was not: exit {ended.status}, {found})"

"""Thirty days of syncs of one contestant, each a process, against the plant that every contestant of the seed reads."""

import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from benchmarks.peers.contestants import Contestant
from benchmarks.peers.holding import Differences, compare, environment, holding
from benchmarks.peers.running import Ended, run
from benchmarks.peers.source import Plant
from benchmarks.turmoil import instants
from simulator import plant
from simulator.instants import DAY, HOUR, from_datetime

TRIES = 3  # of a sync that fails, as an orchestrator would


class WrongCount(Exception):
    """A contestant's first load in fair weather is not what the source has: no figure of it would be worth anything."""


@dataclass(frozen=True, slots=True)
class Course:
    """What every contestant runs through."""

    days: int = 30
    scale: float = 0.1
    syncs_a_day: int = 2
    seed: int = 7
    share: float = 0.01  # of the requests that fail


@dataclass(slots=True)
class Standing:
    """What a contestant came to."""

    contestant: Contestant
    final: Differences = field(default_factory=Differences)
    rows: int = 0  # of the truth
    requests: int = 0
    refused: int = 0  # answered with 429
    syncs: int = 0
    failed: int = 0  # syncs that failed although tried again
    again: int = 0  # tries more than syncs
    cpu_seconds: float = 0.0
    peak_megabytes: float = 0.0
    sync_seconds: float = 0.0  # of a sync of the later days, median
    sync_cpu_seconds: float = 0.0
    daily: list[Differences] = field(default_factory=list)
    why: str = ""  # it could not be run


class Entry:
    """A contestant with a folder of its own."""

    def __init__(self, contestant: Contestant, plant_: Plant, folder: Path) -> None:
        self.contestant, self.plant, self.folder = contestant, plant_, folder
        self.log = folder.parent / f"{contestant.name}.log"

    def sync(self, is_full: bool = False, kill_after: float | None = None) -> Ended:
        """Run one sync."""
        where = ("--url", self.plant.url, "--token", self.plant.token, "--folder", str(self.folder), "--now", self.plant.now)
        command = self.contestant.command("sync", *where, *(["--full"] if is_full else []))
        return run(command, self.log, environment(self.folder), kill_after=kill_after)

    def differences(self) -> Differences:
        """Return how what it holds differs from what the source has."""
        return compare(self.plant, holding(self.contestant, self.folder))

    def log_tail(self) -> str:
        """Return the end of what it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:] if self.log.exists() else ""


def check_first_load(contestant: Contestant, course: Course) -> None:
    """Have it load a plant that stands still, in fair weather.

    Raises:
        WrongCount: what it holds is not what the source has.
    """
    calm = Plant(course.scale, course.seed, share=0.0, lag=0)
    calm.world.clear()
    with tempfile.TemporaryDirectory(prefix="peer-") as name, calm.served():
        entry = Entry(contestant, calm, _folder(name))
        ended = entry.sync()
        found = entry.differences()
        if not ended.is_well or found.wrong:
            raise WrongCount(f"{contestant.name}: exit {ended.status}, {found}; the end of its log:\n{entry.log_tail()}")


def contest(contestant: Contestant, course: Course, say: Callable[[str], None]) -> Standing:
    """Let the days pass, then the world stand still for one, and compare."""
    stage = Plant(course.scale, course.seed, share=course.share)
    standing = Standing(contestant)
    with tempfile.TemporaryDirectory(prefix="peer-") as name, stage.served():
        days = _Days(Entry(contestant, stage, _folder(name)), standing, course)
        days.live(say)
        days.stand_still()
        kept = Path(tempfile.gettempdir()) / "peers-logs"
        kept.mkdir(exist_ok=True)
        shutil.copy(days.entry.log, kept / f"{contestant.name}.log")
    say(f"{contestant.name}: at the end {standing.final}, {standing.requests} requests, {standing.failed} syncs failed")
    return standing


class _Days:
    """The days of one contestant."""

    def __init__(self, entry: Entry, standing: Standing, course: Course) -> None:
        self.entry, self.plant, self.standing, self.course = entry, entry.plant, standing, course
        self.ended: list[Ended] = []

    def live(self, say: Callable[[str], None]) -> None:
        """Sync at each instant while the company lives on."""
        starts = instants(from_datetime(plant.DEMO_START) + HOUR, self.course.days, self.course.syncs_a_day)
        for number, (start, end) in enumerate(pairwise(starts), start=1):
            self.plant.turmoil.plan(start, end)
            self.plant.storm.wait_until(start)
            is_last = number % self.course.syncs_a_day == 0
            self._sync(f"sync {number}", is_full=is_last and self.entry.contestant.reads_all_nightly)
            if is_last:
                self.standing.daily.append(self.entry.differences())
                said = f"{self.standing.daily[-1]}, {self.plant.storm.traffic['requests']} requests, {self.standing.failed} syncs failed"
                say(f"{self.entry.contestant.name}, day {number // self.course.syncs_a_day}: {said}")

    def stand_still(self) -> None:
        """A day later, in which nothing happened, everybody syncs once more, in fair weather."""
        self.plant.world.clear()
        self.plant.storm.share = 0.0
        self.plant.storm.wait_until(self.plant.world.now + DAY)
        self._sync("the last", is_full=self.entry.contestant.reads_all_nightly)
        standing, traffic = self.standing, self.plant.storm.traffic
        standing.final, standing.rows = self.entry.differences(), len(self.plant.truth())
        standing.requests, standing.refused = traffic["requests"], traffic["429"]
        standing.cpu_seconds = sum(each.cpu_seconds for each in self.ended)
        standing.peak_megabytes = max(each.peak_megabytes for each in self.ended)
        later = self.ended[1:] or self.ended
        standing.sync_seconds = statistics.median(each.wall_seconds for each in later)
        standing.sync_cpu_seconds = statistics.median(each.cpu_seconds for each in later)

    def _sync(self, name: str, is_full: bool) -> None:
        self.standing.syncs += 1
        self.plant.storm.begin(name)
        for attempt in range(TRIES):
            ended = self.entry.sync(is_full)
            self.ended.append(ended)
            self.standing.again += attempt > 0
            if ended.is_well:
                return
        self.standing.failed += 1


def excused(contestant: Contestant, why: str) -> Standing:
    """Return the standing of one that could not be run."""
    return replace(Standing(contestant), why=why)


def _folder(parent: str) -> Path:
    folder = Path(parent) / "data"
    folder.mkdir()
    return folder

"""Each step of the small plant as a stage to be killed on: what the log held before it, every place reached, and how it must end."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kills import children, log
from tests.kills.plant import STEPS, served, world_after

FILE = "warehouse.duckdb"
AT_ONCE = 2  # children


@dataclass(frozen=True)
class Stage:
    """One step of the plant, standing still."""

    step: str
    url: str
    before: Path | None  # the warehouse when the step begins; None: there is none yet
    after: Path  # and after an uninterrupted reading
    places: tuple[tuple[str, int], ...]  # (name, nth) of every failpoint that this reading reached
    history: dict[str, str]
    fresh: dict[str, str]  # the current state by a fresh full sync of the same source
    seconds: float  # that an uninterrupted reading took

    def killed(self, folder: Path, *kills: tuple[str, int], reading: Callable[..., None] = children.read_and_die) -> list[str]:
        """Read in a folder of its own and die at each of the places, one process after the other; then recover.

        Returns what is wrong: after each death, and after the recovery and one further cycle. Nothing is left in the folder.
        """
        folder.mkdir(parents=True)
        if self.before:
            shutil.copy(self.before, folder / FILE)
        wrong = [problem for place, nth in kills for problem in self._die(folder, reading, place, nth)]
        wrong += self.recovered(folder)
        shutil.rmtree(folder)
        return [f"{self.step}, {' then '.join(f'{place}:{nth}' for place, nth in kills)}: {problem}" for problem in wrong]

    def _die(self, folder: Path, reading: Callable[..., None], place: str, nth: int) -> list[str]:
        status = children.run(reading, folder, self.url, place, nth)
        if status not in (children.KILLED, 0):
            return [f"ended with {status}"]
        return log.broken(folder / FILE) if has_tables(folder / FILE) else []

    def killed_at_random(self, folder: Path, chance: random.Random, times: int) -> list[str]:
        """Read and die so many times, each at a random instant, the next process going on where the last one died; then recover."""
        folder.mkdir(parents=True)
        if self.before:
            shutil.copy(self.before, folder / FILE)
        wrong = []
        while times:
            if children.killed_after(chance.uniform(0, self.seconds), children.read, folder, self.url):
                times -= 1
                wrong += log.broken(folder / FILE) if has_tables(folder / FILE) else []
        wrong += self.recovered(folder)
        shutil.rmtree(folder)
        return [f"{self.step}: {problem}" for problem in wrong]

    def recovered(self, folder: Path) -> list[str]:
        """Read twice more, and return what differs from a fresh full sync and from an uninterrupted reading."""
        if status := children.run(children.read, folder, self.url, 2):
            return [f"the recovery ended with {status}"]
        return [
            *log.broken(folder / FILE),
            *differing("a fresh sync", log.current_state(folder / FILE), self.fresh),
            *differing("an uninterrupted reading", log.history(folder / FILE), self.history),
        ]

    def one_of_each(self) -> list[tuple[str, int]]:
        """Return the middle one of the times that each place is reached."""
        return [(name, (times + 1) // 2) for name, times in sorted(Counter(name for name, _ in self.places).items())]


def has_tables(warehouse: Path) -> bool:
    """Return whether the first opening got as far as making its tables: before, there is nothing to look at."""
    return warehouse.exists() and warehouse.stat().st_size > 1_000_000


def differing(from_what: str, found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Return which tables differ."""
    return [f"{table} differs from {from_what}: {found[table]}, not {wanted[table]}" for table in wanted if found[table] != wanted[table]]


@contextmanager
def stage(step: str, folder: Path, before: Path | None) -> Generator[Stage]:
    """Serve the plant as it stands after a step, and give the stage: read once without interruption, and once afresh."""
    whole, fresh = folder / "whole", folder / "fresh"
    whole.mkdir(parents=True)
    fresh.mkdir()
    if before:
        shutil.copy(before, whole / FILE)
    with served(world_after(step)) as url:
        children.run(children.nothing)  # what the first child waits for is no part of a reading
        started = time.monotonic()
        assert children.run(children.read_and_log, whole, url, whole / "reached") == 0
        seconds = time.monotonic() - started
        assert children.run(children.read, fresh, url) == 0
        yield Stage(
            step, url, before, whole / FILE, numbered((whole / "reached").read_text(encoding="utf-8").split("\n")[:-1]),
            log.history(whole / FILE), log.current_state(fresh / FILE), seconds,
        )  # fmt: skip


def numbered(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return each name with the number of times it has come by then."""
    times: Counter[str] = Counter()
    return tuple((name, times[name]) for name in names if times.update([name]) is None)


@contextmanager
def stages(folder: Path) -> Generator[list[Stage]]:
    """Give all stages, each beginning where the one before it ended."""
    with _next_stages(folder, list(STEPS), None) as found:
        yield found


@contextmanager
def _next_stages(folder: Path, steps: list[str], before: Path | None) -> Generator[list[Stage]]:
    if not steps:
        yield []
        return
    with stage(steps[0], folder / steps[0].replace(" ", "_"), before) as first, _next_stages(folder, steps[1:], first.after) as later:
        yield [first, *later]


def all_killed(folder: Path, wanted: Iterable[tuple[Stage, tuple[tuple[str, int], ...]]]) -> list[str]:
    """Kill and recover, two at once, and return everything that is wrong."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda one: one[1][0].killed(folder / str(one[0]), *one[1][1]), enumerate(wanted))
        return [problem for problems in found for problem in problems]


def drawn(chance: random.Random, found: list[Stage], times: int) -> list[tuple[Stage, tuple[tuple[str, int], ...]]]:
    """Return so many pairs of deaths: the second one comes while the first is being put right."""
    picked = [chance.choice(found) for _ in range(times)]
    return [(one, (chance.choice(one.places), chance.choice(one.places))) for one in picked]

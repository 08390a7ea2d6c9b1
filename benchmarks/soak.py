"""Thirty simulated days of syncs against a source that changes while it is read, and fails: `make soak ARGS="--days 2 --scale 0.1"`.

Several syncs a day, each with the reconciliation that is due, as `maintainx refresh` runs them, without models and publishing. After
each the log is compared with the simulator's truth. Then the world stands still, and one more cycle with a full reconciliation must
leave nothing lost, double, stale, falsely deleted, and no ghost.
"""

import argparse
import math
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.comparison import Differences, Watch
from benchmarks.floor import Floor
from benchmarks.storm import Storm
from benchmarks.turmoil import Turmoil, instants
from dagster_project import refresh
from dagster_project.maintainx.capabilities import Capabilities
from dagster_project.maintainx.client import MaintainX
from dagster_project.refresh import RefreshReport, Source
from dagster_project.settings import ROOT, load
from dagster_project.sites import Organisation
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator import plant
from simulator.instants import DAY, HOUR, from_datetime
from simulator.options import Options
from simulator.transport import transport
from simulator.world import World

DOCUMENT = ROOT / "docs" / "soak.md"
MARKER = "<!-- measured -->\n"
URL = "http://soak.test/v1"
LIST_LAG = 900  # seconds


@dataclass(frozen=True, slots=True)
class Course:
    """What to run through."""

    days: int = 30
    scale: float = 0.25
    syncs_a_day: int = 6
    seed: int = 7
    share: float = 0.01  # of the requests that fail


@dataclass(frozen=True, slots=True)
class StormSource(Source):
    """One organisation of a storm, on whose clock waiting takes its time."""

    storm: Storm | None = None

    def connect(self, most_requests: int | None = None, knows: Capabilities | None = None) -> MaintainX:
        """Return a client that waits by the simulated clock."""
        assert self.storm is not None  # noqa: S101  a field after those with a default needs one too
        world = self.storm.world
        return MaintainX(
            URL, f"demo-{self.organisation_id}", transport=transport(self.storm), clock=lambda: world.now / 1000, sleep=_sleeping(world),
            most_requests=most_requests, capabilities=knows,
        )  # fmt: skip


def _sleeping(world: World) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        world.run_until(world.now + math.ceil(seconds * 1000))

    return sleep


@dataclass(slots=True)
class Outcome:
    """What the soak came to."""

    course: Course
    rows: int = 0
    days: list[tuple[int, Differences, int, int]] = field(default_factory=list)  # day, differences at its end, requests, syncs that failed
    after_quiet: Differences = field(default_factory=Differences)
    final: Differences = field(default_factory=Differences)
    healing: list[tuple[str, int, float, float, float, int]] = field(default_factory=list)
    traffic: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    minimum: int = 0
    failed: list[str] = field(default_factory=list)
    syncs: int = 0
    seconds: float = 0.0

    @property
    def changes_met(self) -> set[str]:
        """Return the kinds of change that arrived in the log."""
        return {kind for kind, arrived, *_ in self.healing if arrived}

    @property
    def status(self) -> int:
        """Return the exit status: 1 when the log differs at the end."""
        return int(not self.final.is_clean)


class Soak:
    """One world, one log, and the days that pass."""

    def __init__(self, course: Course, warehouse: DuckDBWarehouse, folder: Path) -> None:
        self.course, self.warehouse = course, warehouse
        self.world = plant.build(course.seed, course.scale)
        self.organisation_id = self.world.organisations[0]
        self.turmoil = Turmoil(self.world, self.organisation_id, course.seed)
        self.turmoil.settle()
        world = self.world
        options = Options(list_lag_seconds=LIST_LAG)
        self.storm = Storm(world, options, seed=course.seed, share=course.share, clock=lambda: world.now / 1000)
        settings = load(data_dir=folder, maintainx_url=URL, maintainx_token=f"demo-{self.organisation_id}")
        self.source = StormSource(settings, Organisation(self.organisation_id), False, storm=self.storm)
        self.watch = Watch(self.world, self.organisation_id, warehouse)
        self.outcome = Outcome(course, rows=sum(self.world.counts().values()))
        self._floor = Floor(self.world, self.organisation_id)

    def run(self, say: Callable[[str], None] = print) -> Outcome:
        """Live through the days, then let the world stand still and read once more."""
        began, course = time.monotonic(), self.course
        self.watch.start()
        before = Counter(self.world.changes)
        starts = instants(from_datetime(plant.DEMO_START) + HOUR, course.days, course.syncs_a_day)
        for number, (start, end) in enumerate(pairwise(starts)):
            self.turmoil.plan(start, end)
            self.world.run_until(start)
            self._sync(f"sync {number}")
            found = self.watch.look()
            if (number + 1) % course.syncs_a_day == 0:
                self._note_day(number // course.syncs_a_day + 1, found, say)
        self._stand_still(say)
        self.outcome.changes = self.world.changes - before
        self.outcome.healing, self.outcome.traffic = self.watch.figures(), self.storm.traffic
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _sync(self, name: str, is_full: bool = False) -> None:
        self.storm.begin(name)
        report = RefreshReport(name)
        self.outcome.minimum += self._floor.of_sync(is_first=not self.outcome.syncs)
        if is_full:
            refresh.reconcile_organisation(self.source, self.warehouse, report, is_full=True)
        else:
            refresh.read_organisation(self.source, self.warehouse, report)
        self.outcome.minimum += self._floor.of_comparisons(report)
        self.outcome.syncs += 1
        self.outcome.failed += [f"{name}: {why}" for why in report.failed.values()]

    def _note_day(self, day: int, found: Differences, say: Callable[[str], None]) -> None:
        self.outcome.days.append((day, found, self.storm.traffic["requests"], len(self.outcome.failed)))
        waiting = ", ".join(f"{count} {kind}" for kind, count in sorted(self.watch.waiting().items()))
        say(f"day {day}: {found}; {self.storm.traffic['requests']} requests; waiting: {waiting or 'nothing'}")

    def _stand_still(self, say: Callable[[str], None]) -> None:
        """After the last day nothing happens any more, what was written shows, and no request fails."""
        self.world.clear()
        self.storm.share = 0.0
        self.world.run_until(self.world.now + DAY)
        self._sync("after the last day")
        self.outcome.after_quiet = self.watch.look()
        say(f"a quiet day later, after an ordinary refresh: {self.outcome.after_quiet}")
        self._sync("at the end", is_full=True)
        self.outcome.final = self.watch.look()
        say(f"after a full reconciliation: {self.outcome.final}")


def soak(course: Course, say: Callable[[str], None] = print) -> Outcome:
    """Run the course in a folder of its own, which is removed."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        with DuckDBWarehouse(folder / "warehouse.duckdb") as warehouse:
            return Soak(course, warehouse, folder).run(say)


def main(arguments: list[str]) -> int:
    """Run, print the tables, and write them to docs/soak.md when it was the whole course."""
    parser, usual = argparse.ArgumentParser(prog="make soak", description=__doc__), Course()
    parser.add_argument("--days", type=int, default=usual.days)
    parser.add_argument("--scale", type=float, default=usual.scale, help="times 20,000 work orders")
    parser.add_argument("--syncs-a-day", type=int, default=usual.syncs_a_day)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--share", type=float, default=usual.share, help="of the requests that fail")
    outcome = soak(Course(**vars(parser.parse_args(arguments))))
    text = "\n".join(document(outcome)) + "\n"
    print(text)
    if outcome.course.days >= usual.days:
        before = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)[0]
        DOCUMENT.write_text(before + MARKER + "\n" + text, encoding="utf-8")
    return outcome.status


def document(out: Outcome) -> Iterator[str]:
    """Yield the lines of the result."""
    course, traffic = out.course, out.traffic
    yield (
        f"{course.days} simulated days, {course.syncs_a_day} syncs a day, seed {course.seed}, run on {datetime.now(UTC):%Y-%m-%d} "
        f"in {out.seconds / 60:.0f} minutes (Python {platform.python_version()}). {out.rows:,} records at the start; then "
        f"{_sum(out, 'created'):,} created, {_sum(out, 'updated'):,} edited, {_sum(out, 'silently'):,} changed without updatedAt or under "
        f"an older one, {_sum(out, 'deleted'):,} deleted, {_sum(out, 'restored'):,} restored. Lists lag up to {LIST_LAG // 60} minutes; "
        f"{course.share:.0%} of the requests fail."
    )
    yield ""
    yield "| At the end | Lost | Double | Stale | Ghost | Falsely deleted |"
    yield "|---|---:|---:|---:|---:|---:|"
    yield _row(f"of day {course.days}, in the midst of it", out.days[-1][1])
    yield _row("a quiet day later, after an ordinary refresh", out.after_quiet)
    yield _row("after a full reconciliation", out.final)
    yield ""
    requests, failures = traffic["requests"], sum(traffic[each] for each in ("429", "500", "502", "503", "400", "truncated", "cut"))
    yield (
        f"{requests:,} requests, {requests / out.minimum:.2f} times the fewest that could tell the same ({out.minimum:,}); "
        f"{failures:,} of them failed, {traffic['429']:,} with 429. {out.syncs - len(out.failed)} of {out.syncs} syncs ended well."
    )
    yield from (f"- {why}" for why in out.failed)
    yield ""
    yield "| Kind of change | Arrived | Hours until then, median | 95 % | Longest | Not arrived |"
    yield "|---|---:|---:|---:|---:|---:|"
    yield from (
        f"| {kind} | {count:,} | {median:.1f} | {high:.1f} | {longest:.1f} | {waiting} |"
        for kind, count, median, high, longest, waiting in out.healing
    )
    yield ""
    yield "| Day | Lost | Double | Stale | Ghost | Falsely deleted | Requests so far |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    yield from (_row(str(day), found, f" {requests:,} |") for day, found, requests, _ in out.days)


def _row(name: str, found: Differences, more: str = "") -> str:
    return f"| {name} | {found.lost} | {found.double} | {found.stale} | {found.ghost} | {found.falsely_deleted} |{more}"


def _sum(out: Outcome, word: str) -> int:
    return sum(count for kind, count in out.changes.items() if kind.endswith(word))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

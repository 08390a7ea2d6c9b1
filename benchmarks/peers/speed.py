"""CPU and memory of a full sync and of one with nothing to do, beside the contestants': medians, and how many times ours.

The server is a thread of the measuring process; it answers at once, announces no limit that matters, and every count is checked
before a figure is taken.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.contest import Entry, WrongCount
from benchmarks.peers.contestants import Contestant, install
from benchmarks.peers.running import Ended
from benchmarks.peers.source import Plant

PHASES = ("full", "nothing changed")


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of one contestant at one size."""

    contestant: Contestant
    orders: int
    phase: str
    wall: float
    cpu: float
    peak: float
    requests: int


def document(contestants: Sequence[Contestant], scales: Sequence[float], runs: int, say: Callable[[str], None]) -> Iterator[str]:
    """Measure and yield the lines of a table."""
    for contestant in contestants:
        install(contestant)
    costs = [cost for scale in scales for cost in _costs(contestants, scale, runs, say)]
    ours = {(cost.orders, cost.phase): cost for cost in costs if cost.contestant.name == "ours"}
    yield "| Work orders | Sync | Contestant | CPU s | times ours | Peak MB | times ours | Wall s | Requests |"
    yield "|---:|---|---|---:|---:|---:|---:|---:|---:|"
    for cost in sorted(costs, key=lambda each: (each.orders, PHASES.index(each.phase), each.cpu)):
        base = ours.get((cost.orders, cost.phase))
        cpu, peak = (f"{cost.cpu / base.cpu:.1f}", f"{cost.peak / base.peak:.1f}") if base else ("", "")
        yield (
            f"| {cost.orders:,} | {cost.phase} | {cost.contestant.label} | {cost.cpu:.2f} | {cpu} | {cost.peak:,.0f} | {peak} "
            f"| {cost.wall:.1f} | {cost.requests:,} |"
        )


def _costs(contestants: Sequence[Contestant], scale: float, runs: int, say: Callable[[str], None]) -> Iterator[Cost]:
    plant = Plant(scale, 7, share=0.0, lag=0, is_stirred=False)
    plant.world.clear()
    orders = len(plant.world.table("work_orders", plant.organisation_id).rows.encoded)
    with plant.served():
        for contestant in contestants:
            found: dict[str, list[tuple[Ended, int]]] = {phase: [] for phase in PHASES}
            for run in range(runs):
                for phase, ended, requests in _phases(contestant, plant):
                    found[phase].append((ended, requests))
                    say(f"{contestant.name}, {orders} work orders, run {run + 1}, {phase}: {ended}, {requests} requests")
            yield from (_median(contestant, orders, phase, ended) for phase, ended in found.items())


def _phases(contestant: Contestant, plant: Plant) -> Iterator[tuple[str, Ended, int]]:
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        folder = Path(name) / "data"
        folder.mkdir()
        entry = Entry(contestant, plant, folder)
        for phase in PHASES:
            before = plant.storm.traffic["requests"]
            ended = entry.sync()
            requests = plant.storm.traffic["requests"] - before
            wrong = entry.differences()
            if not ended.is_well or wrong.wrong:
                raise WrongCount(f"{contestant.name}: exit {ended.status}, {wrong}:\n{entry.log_tail()}")
            yield phase, ended, requests


def _median(contestant: Contestant, orders: int, phase: str, found: Sequence[tuple[Ended, int]]) -> Cost:
    wall, cpu, peak = (
        statistics.median(values)
        for values in zip(*((each.wall_seconds, each.cpu_seconds, each.peak_megabytes) for each, _ in found), strict=True)
    )
    return Cost(contestant, orders, phase, wall, cpu, peak, round(statistics.median(requests for _, requests in found)))

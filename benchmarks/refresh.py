"""Measure refreshes against the simulator and write docs/performance.md: `make bench ARGS="--scales 1 10 --runs 3"`.

Each scale has one simulator; each run a fresh DATA_DIR, in which a full refresh, one eight hours later and one a day after that follow
each other. CPU and memory are those of the refreshing process and its children; the simulator is a process of its own and left out.
Counts are compared with the simulator's before a figure is believed.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb

from dagster_project import embedded, programs, publish
from dagster_project.settings import ROOT, Settings, environment, load

DOCUMENT = ROOT / "docs" / "performance.md"
MARKER = "<!-- measured -->\n"
REFRESH = (sys.executable, "-m", "dagster_project", "refresh")
STEPS = (("full", {}), ("8 hours later", {"hours": 8}), ("a day later, reconciled", {"days": 1}))
PACKAGES = ("duckdb", "polars", "dbt-core", "httpx")


class CountsDiffer(Exception):
    """A refresh does not hold what the simulator holds: its figures are worth nothing."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One refresh."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    requests: int
    work_orders: int


def main(arguments: list[str]) -> int:
    """Measure every scale, print the table and write it to docs/performance.md."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=[1, 10], help="times 20,000 work orders")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--port", type=int, default=8791)
    options = parser.parse_args(arguments)
    rows = [row for scale in options.scales for row in _measured(scale, options.runs, options.port)]
    text = _table(rows, options.runs)
    print(text)
    before = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)[0]
    DOCUMENT.write_text(before + MARKER + "\n" + text, encoding="utf-8")
    return 0


def _measured(scale: float, runs: int, port: int) -> Iterator[tuple[str, Measurement]]:
    by_step: dict[str, list[Measurement]] = {name: [] for name, _ in STEPS}
    for run in range(runs):
        with _simulator(scale, port) as settings:
            deleted = 0
            for name, moved in STEPS:
                if moved:
                    deleted += embedded.advance(settings, **moved)["changes"].get("work_orders deleted", 0)
                by_step[name].append(_refresh(settings, deleted))
                print(f"scale {scale:g}, run {run + 1} of {runs}, {name}: {by_step[name][-1]}", file=sys.stderr)
    yield from ((name, _median(found)) for name, found in by_step.items())


@contextmanager
def _simulator(scale: float, port: int) -> Generator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    settings = embedded.embedded(load(data_dir=folder, simulator_port=port, maintainx_token=None))
    child = programs.start(embedded.program(settings, "--scale", f"{scale:g}"))
    try:
        programs.wait_until_answers(child, seconds=900)
        yield settings
    finally:
        programs.stop([child])
        shutil.rmtree(folder)


def _refresh(settings: Settings, deleted: int) -> Measurement:
    """Measure one refresh; orders deleted since the first may still be published: a reconciliation of their part of history finds them."""
    before, started = _state(settings)["requests"], time.monotonic()
    status, usage = _run(settings)
    wall, state = time.monotonic() - started, _state(settings)
    if status:
        raise CountsDiffer(
            f"the refresh ended with status {status}; the end of its log:\n{programs.tail(settings.log_dir / 'refresh.log')}"
        )
    orders = _published_orders(settings)
    held = state["counts"]["work_orders"]
    if not held <= orders <= held + deleted:
        raise CountsDiffer(f"{orders} work orders are published, the simulator has {held} and has deleted {deleted}")
    return Measurement(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, state["requests"] - before, orders)


def _run(settings: Settings) -> tuple[int, resource.struct_rusage]:
    variables = embedded.variables(settings)
    with (settings.log_dir / "refresh.log").open("wb") as log:
        process = subprocess.Popen(REFRESH, env=environment(**variables), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def _published_orders(settings: Settings) -> int:
    path = publish.current(settings.published_dir)
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql("select count(*) from marts.fct_work_orders").fetchall()[0][0]


def _state(settings: Settings) -> dict:
    with urllib.request.urlopen(f"{embedded.address(settings)}/_simulator/state", timeout=60) as response:  # noqa: S310
        return json.load(response)


def _median(found: list[Measurement]) -> Measurement:
    columns = zip(*((m.wall_seconds, m.cpu_seconds, m.peak_megabytes, m.requests, m.work_orders) for m in found), strict=True)
    wall, cpu, peak, requests, orders = (statistics.median(column) for column in columns)
    return Measurement(wall, cpu, peak, round(requests), round(orders))


def _table(rows: list[tuple[str, Measurement]], runs: int) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {versions}"
    head = f"Medians of {runs} runs on {datetime.now(UTC):%Y-%m-%d}; {machine}.\n\n"
    lines = ["| Work orders | Refresh | Wall s | CPU s | Peak memory MB | Requests |", "|---:|---|---:|---:|---:|---:|"]
    lines += [
        f"| {m.work_orders:,} | {name} | {m.wall_seconds:.1f} | {m.cpu_seconds:.1f} | {m.peak_megabytes:,.0f} | {m.requests:,} |"
        for name, m in rows
    ]
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

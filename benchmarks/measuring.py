"""A source to read from, and what one process that reads it cost."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from math import ceil
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.source import PLACE_OF_CHANGE
from dagster_project import embedded, programs, publish
from dagster_project.settings import ROOT, Settings, environment, load

PAGE = 200


class CountsDiffer(Exception):
    """What was stored or published is not what the source has: its figures are worth nothing."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one mode; CPU and memory are those of the process and its children, the source left out."""

    work_orders: int
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    requests: int
    refused: int  # answered with 429


def medians(found: Sequence[Measurement]) -> Measurement:
    """Return the medians of several runs, column by column."""
    orders, wall, cpu, peak, requests, refused = (median(column) for column in zip(*map(astuple, found), strict=True))
    return Measurement(round(orders), wall, cpu, peak, round(requests), round(refused))


class Bench:
    """A source of about so many work orders and a data folder beside it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def state(self) -> dict:
        """Return what the source says of itself."""
        return embedded.ask(self.settings, "/_simulator/state")

    def refused(self) -> int:
        """Return how many requests were answered with 429 so far."""
        return embedded.ask(self.settings, "/_simulator/requests")["statuses"].get("429", 0)

    @property
    def first_organisation(self) -> int:
        """Return the id of the larger organisation."""
        return self.state()["organisations"][0]

    def work_orders(self, organisation_id: int) -> int:
        """Return how many work orders one organisation has."""
        return embedded.ask(self.settings, f"/_bench/work_orders/{organisation_id}")["work_orders"]

    def floor(self) -> int:
        """Return the fewest requests that can read every list once: one for 200 records, one for an empty list."""
        counts = self.state()["counts"]
        organisations = counts["organizations"]
        pages = sum(max(organisations, ceil(rows / PAGE)) for rows in counts.values())
        return pages + counts["teams"]  # each team's members are a list of their own

    def change(self, work_orders: int) -> None:
        """Let that many work orders change."""
        embedded.ask(self.settings, PLACE_OF_CHANGE, {"work_orders": work_orders})

    def advance(self, **span: int) -> int:
        """Let simulated time pass; return how many work orders were deleted meanwhile."""
        return embedded.advance(self.settings, **span)["changes"].get("work_orders deleted", 0)

    def empty(self) -> None:
        """Forget what was read, but not what dbt compiled."""
        for path in self.settings.data_dir.iterdir():
            if path.name not in {"logs", "dbt", "simulator"}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def run(self, *arguments: str) -> Measurement:
        """Run one python program over the data folder and measure it.

        Raises:
            CountsDiffer: it failed, or does not hold what the source has.
        """
        before, refused, started = self.state()["requests"], self.refused(), time.monotonic()
        status, usage = self._child(arguments)
        wall, state = time.monotonic() - started, self.state()
        if status:
            log = programs.tail(self.settings.log_dir / "measured.log")
            raise CountsDiffer(f"{' '.join(arguments)} ended with status {status}; the end of its log:\n{log}")
        cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        orders = state["counts"]["work_orders"]
        return Measurement(orders, wall, cpu, peak, state["requests"] - before, self.refused() - refused)

    def check_log(self) -> None:
        """Raise unless the log holds exactly the source's work orders."""
        query = "select count(*) from raw.work_orders_latest where not is_deleted"
        self._compare("the log holds", self.settings.warehouse_path, query)

    def check_marts(self, deleted: int = 0) -> None:
        """Raise unless the source's work orders are published, and of those just deleted at most all."""
        path = publish.current(self.settings.published_dir)
        if path is None:
            raise CountsDiffer("nothing is published")
        self._compare("the marts show", path, "select count(*) from marts.fct_work_orders", deleted)

    def _compare(self, what: str, path: Path, query: str, deleted: int = 0) -> None:
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.sql(query).fetchall()[0][0]
        wanted = self.state()["counts"]["work_orders"]
        if not wanted <= found <= wanted + deleted:
            raise CountsDiffer(f"{what} {found} work orders, the source has {wanted} and has just deleted {deleted}")

    def _child(self, arguments: Sequence[str]) -> tuple[int, resource.struct_rusage]:
        variables = embedded.variables(self.settings)
        with (self.settings.log_dir / "measured.log").open("wb") as log:
            command = [sys.executable, *arguments]
            process = subprocess.Popen(command, env=environment(**variables), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage


@contextmanager
def bench(work_orders: int, port: int) -> Generator[Bench]:
    """Give a source that answers and an empty data folder; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    settings = embedded.embedded(load(data_dir=folder, simulator_port=port, maintainx_token=None))
    command = (sys.executable, "-m", "benchmarks.source", "--work-orders", str(work_orders), "--port", str(port))
    answers_at = f"{embedded.address(settings)}/_simulator/state"
    child = programs.start(programs.Program("source", command, environment(), settings.log_dir / "source.log", answers_at))
    try:
        programs.wait_until_answers(child, seconds=1800)
        yield Bench(settings)
    finally:
        programs.stop([child])
        shutil.rmtree(folder)

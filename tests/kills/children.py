"""What a child process does that is killed, or that puts right what another one left: forked from a process that has imported all."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagster_project import failpoint, first_load, refresh, settings, visit
from dagster_project.organisation_run import RefreshReport, new_run_id
from dagster_project.organisations import organisations, write_sites
from dagster_project.settings import Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse
from tests.kills.plant import TOKEN

KILLED = -signal.SIGKILL
BATCH_ROWS, SLICE_ROWS = 20, 20  # as if there were many
SECONDS = 120
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["dagster_project.backup", "dagster_project.refresh", __name__])


def run(work: Callable[..., None], *given: Any) -> int:
    """Run a function of a module in a child process and return its exit status: 0, 1 for an exception, -9 when it was killed.

    Raises:
        TimeoutError: it was still running after two minutes.
    """
    child = _PROCESSES.Process(target=work, args=given, daemon=True, name=getattr(work, "__name__", "child"))
    child.start()
    child.join(SECONDS)
    if child.exitcode is None:
        child.kill()
        raise TimeoutError(f"{child.name} still ran after {SECONDS} s")
    return child.exitcode


def settings_of(folder: Path, url: str) -> Settings:
    """Return the settings of a plant whose data lies in a folder."""
    return settings.load(maintainx_url=url, maintainx_token=TOKEN, data_dir=folder, sites_file=None)


def read(folder: Path, url: str, cycles: int = 1, act: failpoint.Action | None = None) -> None:
    """Read the source so many times, as a run does up to its models; `act` is armed meanwhile."""
    vars(visit)["BATCH_ROWS"], vars(first_load)["SLICE_ROWS"] = BATCH_ROWS, SLICE_ROWS
    found = settings_of(folder, url)
    with failpoint.arm(act or ignore):
        for _ in range(cycles):
            one_cycle(found)


def one_cycle(found: Settings) -> None:
    """Read and reconcile every organisation; a run that failed ends the process with an exception."""
    report = RefreshReport(new_run_id())
    with open_warehouse(found) as warehouse:
        refresh.check_warehouse(found, warehouse)
        sources = organisations(found, ignore)
        for source in sources:
            refresh.read_organisation(source, warehouse, report)
        write_sites(warehouse, sources)
    if report.failed:
        raise AssertionError(report.failed)


def read_and_log(folder: Path, url: str, log: Path) -> None:
    """Read once and write down each place that is reached."""
    read(folder, url, act=failpoint.log_to(log))


def read_and_die(folder: Path, url: str, place: str, nth: int) -> None:
    """Read, and be killed when a place is reached for the nth time."""
    read(folder, url, act=failpoint.at(place, nth))


def read_without_transactions_and_die(folder: Path, url: str, place: str, nth: int) -> None:
    """Read as many programs do, each statement a transaction of its own, and be killed at a place."""
    patch.object(DuckDBWarehouse, "transaction", lambda self: nullcontext()).start()
    read(folder, url, act=failpoint.at(place, nth))


def ignore(_: object) -> None:
    """Do nothing."""

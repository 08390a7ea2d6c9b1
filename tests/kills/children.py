"""What a child process does that is killed, or that puts right what another one left: forked from a process that has imported all."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import nullcontext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagster_project import backup, failpoint, first_load, quarantine, refresh, replay, settings
from dagster_project.organisation_run import RefreshReport, new_run_id
from dagster_project.organisations import organisations, write_sites
from dagster_project.settings import Settings
from dagster_project.warehouse.base import BatchSize
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse
from tests.kills.plant import TOKEN

KILLED = -signal.SIGKILL
BATCH, SLICE_ROWS = BatchSize(20, 2**24, 30), 20  # as if there were many
SECONDS = 300
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["dagster_project.models", __name__])


def start(work: Callable[..., None], *given: Any) -> BaseProcess:
    """Start a function of a module in a child process."""
    child = _PROCESSES.Process(target=work, args=given, daemon=True)
    child.start()
    return child


def run(work: Callable[..., None], *given: Any) -> int:
    """Run a function of a module in a child process and return its exit status: 0, 1 for an exception, -9 when it was killed.

    Raises:
        TimeoutError: it was still running after five minutes.
    """
    child = start(work, *given)
    child.join(SECONDS)
    if child.exitcode is None:
        child.kill()
        raise TimeoutError(f"a child still ran after {SECONDS} s: {work}")
    return child.exitcode


def killed_after(seconds: float, work: Callable[..., None], *given: Any) -> bool:
    """Run a function in a child process, kill it after some seconds, and return whether it still ran then."""
    child = start(work, *given)
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode == KILLED


def settings_of(folder: Path, url: str) -> Settings:
    """Return the settings of a plant whose data lies in a folder."""
    return settings.load(maintainx_url=url, maintainx_token=TOKEN, data_dir=folder, sites_file=None)


def read(folder: Path, url: str, cycles: int = 1, act: failpoint.Action | None = None) -> None:
    """Read the source so many times, as a run does up to its models; `act` is armed meanwhile."""
    DuckDBWarehouse.batch, vars(first_load)["SLICE_ROWS"] = BATCH, SLICE_ROWS
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


def nothing() -> None:
    """End at once."""


def ignore(_: object) -> None:
    """Do nothing."""


def publish(folder: Path, url: str, act: failpoint.Action | None = None) -> None:
    """Build the models over the log that is there, and publish them."""
    found = settings_of(folder, url)
    with failpoint.arm(act or ignore), open_warehouse(found) as warehouse:
        refresh.publish_all(found, warehouse, RefreshReport(new_run_id()), ignore)


def publish_and_log(folder: Path, url: str, log: Path) -> None:
    """Publish and write down each place that is reached."""
    publish(folder, url, failpoint.log_to(log))


def publish_and_die(folder: Path, url: str, place: str, nth: int) -> None:
    """Publish, and be killed when a place is reached for the nth time."""
    publish(folder, url, failpoint.at(place, nth))


def rebuild_elsewhere(folder: Path, empty: Path) -> None:
    """Carry a log by a backup into an empty place and build the models there."""
    there = settings_of(empty, "http://127.0.0.1:9/v1")
    backup.restore(there, backup.backup(settings_of(folder, "http://127.0.0.1:9/v1")))
    publish(empty, "http://127.0.0.1:9/v1")


def work(name: str, folder: Path, act: failpoint.Action | None = None) -> None:
    """Do one of the commands that ask no source; `act` is armed meanwhile."""
    found = settings_of(folder, "http://127.0.0.1:9/v1")
    with failpoint.arm(act or ignore):
        match name:
            case "backup":
                backup.backup(found)
            case "restore":
                backup.restore(found)
            case "replay":
                replay.replay(found, say=ignore)
            case "quarantine replay":
                quarantine.replay(found, new_run_id(), say=ignore)
            case _:
                raise KeyError(name)


def work_and_log(name: str, folder: Path, log: Path) -> None:
    """Do a command and write down each place that is reached."""
    work(name, folder, failpoint.log_to(log))


def work_and_die(name: str, folder: Path, place: str, nth: int) -> None:
    """Do a command, and be killed when a place is reached for the nth time."""
    work(name, folder, failpoint.at(place, nth))


def read_and_stand_still(folder: Path, url: str) -> None:
    """Read up to the first batch, and stand still with the warehouse open."""
    read(folder, url, act=failpoint.at("sync.after_batch", 1, failpoint.sleep))

"""A disk that fills up, and limits of the machine that are met: said in words, nothing lost, readers undisturbed, done again afterwards."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.settings import ROOT
from dagster_project.warehouse.disk import trouble as disk_trouble
from tests.kills import children, log, small_job
from tests.kills.disks import Disk, small_disk
from tests.kills.plant import TOKEN
from tests.kills.readers import left_over, unwhole
from tests.kills.small_job import ROWS, reported, state, value
from tests.kills.stages import FILE, Stage, stage

SAID = "cannot be written to: no space left on device. To go on, free space there and start again"


def one_of(first: object, *others: object) -> list:
    """Return values for a test that is made once in `make test`, and with the other values in `make test-all`."""
    return [first, *(pytest.param(other, marks=pytest.mark.slow) for other in others)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", megabytes=96) as found:
        yield found


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage("first load", tmp_path_factory.mktemp("stage"), None) as found:
        yield found


def small_jobs(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.kills.small_job", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


# free when the job begins: it fails at its commit, its lease, its publication, its end, nowhere
@pytest.mark.parametrize("kilobytes", one_of(64, 0, 8, 300, 700, 1200, 3000))
def test_f4_a_disk_that_is_full_from_any_moment_on_is_named_and_what_was_said_to_be_stored_is(disk: Disk, kilobytes: int):
    folder = disk.folder / "data"
    folder.mkdir()
    small_job.prepare(folder)
    disk.fill(left=kilobytes * 1024)
    done = small_jobs(folder)
    said = done.stdout.split()
    assert (done.returncode == 0 and "published" in said) or SAID in done.stderr.strip().splitlines()[-1]
    assert state(folder) == ((ROWS, ROWS, 1) if "committed" in said else (0, 0, 0))
    assert unwhole(folder / "published") == []
    assert value(folder) == (2 if "published" in said else 1)
    disk.free()
    again = small_jobs(folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert (state(folder), value(folder), reported(folder)) == ((ROWS, ROWS, 1), 2, [(1, ROWS), (2, ROWS)])
    assert left_over(folder / "published") == []


def command(folder: Path, url: str, *arguments: str, **more: object) -> subprocess.Popen[str]:
    """Start `maintainx` on a data folder and a source."""
    variables = {"DATA_DIR": str(folder), "MAINTAINX_URL": url, "MAINTAINX_TOKEN": TOKEN, "SITES_FILE": "", "PYTHONUNBUFFERED": "1"}
    asked = [sys.executable, "-m", "dagster_project", *arguments]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT, "env": os.environ | variables} | more
    return subprocess.Popen(asked, **given)  # ty: ignore


@pytest.mark.slow
def test_f4_a_first_load_that_fills_the_disk_says_so_and_goes_on_once_there_is_space(disk: Disk, plant: Stage):
    folder = disk.folder / "data"
    folder.mkdir()
    disk.fill(left=3 * 2**20)
    out, errors = command(folder, plant.url, "refresh").communicate(timeout=300)
    assert errors.startswith(f"error: {folder} {SAID}"), errors + out
    assert "Traceback" not in errors
    disk.free()
    assert plant.recovered(folder) == []


@pytest.mark.slow
def test_f4_a_console_that_cannot_be_written_to_loses_nothing(tmp_path: Path, plant: Stage):
    folder = tmp_path / "data"
    with Path("/dev/full").open("w") as full:
        process = command(folder, plant.url, "refresh", stdout=full)
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "No space left on device" in errors or "no space left on device" in errors
    assert plant.recovered(folder) == []


@pytest.mark.parametrize("number", one_of(signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
def test_f5_a_signal_in_the_middle_of_a_reading_loses_nothing(tmp_path: Path, plant: Stage, number: signal.Signals):
    folder = tmp_path / "data"
    # a parent that ignores hang-ups (nohup) hands that on
    process = command(folder, plant.url, "refresh", preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    wait_for(lambda: (folder / f"{FILE}.wal").exists() and (folder / f"{FILE}.wal").stat().st_size > 100_000)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert log.broken(folder / FILE) == []
    assert plant.recovered(folder) == []


# fails in threads of Polars, in its allocator, in an import
@pytest.mark.parametrize("megabytes", one_of(800, 600, 1400))
def test_f5_a_process_that_gets_no_more_memory_loses_nothing(tmp_path: Path, plant: Stage, megabytes: int):
    assert children.run(read_within, tmp_path, plant.url, resource.RLIMIT_AS, megabytes * 2**20) != 0
    assert plant.recovered(tmp_path) == []


# fails at the write-ahead log, at the lease, in threads of Polars
@pytest.mark.parametrize("files", one_of(8, 12, 14))
def test_f5_a_process_that_may_open_no_more_files_loses_nothing(tmp_path: Path, plant: Stage, files: int):
    assert children.run(read_within, tmp_path, plant.url, resource.RLIMIT_NOFILE, files) == 1
    assert plant.recovered(tmp_path) == []


@pytest.mark.parametrize("what", ["No space left on device", "Too many open files"])
def test_f5_a_warehouse_that_cannot_be_opened_for_now_is_not_called_damaged(what: str):
    said = disk_trouble(duckdb.IOException(f'Cannot open file "warehouse.duckdb.wal": {what}'), Path("data"))
    assert said is not None
    assert "start again" in str(said)
    assert disk_trouble(duckdb.IOException("Corrupt database file"), Path("data")) is None


@pytest.mark.parametrize("kilobytes", one_of(100, 50, 200))
def test_f4_a_file_that_may_not_grow_loses_nothing(tmp_path: Path, plant: Stage, kilobytes: int):
    assert children.run(read_within, tmp_path, plant.url, resource.RLIMIT_FSIZE, kilobytes * 1024) == 1
    assert plant.recovered(tmp_path) == []


def read_within(folder: Path, url: str, what: int, limit: int) -> None:
    """Read under a limit of the machine."""
    resource.setrlimit(what, (limit, limit))
    children.read(folder, url)


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until something has happened; at most two minutes."""
    until = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)

"""`kill -9`, a full disk and a broken disk at each system call that writes the warehouse, its log or a published file."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.settings import ROOT
from tests.kills import children, log, small_job
from tests.kills.readers import left_over, unwhole
from tests.kills.small_job import ROWS, reported, state, value
from tests.kills.stages import AT_ONCE, FILE

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "link", "unlink", "rename")
FAULTS = ("signal=SIGKILL", "error=ENOSPC", "error=EIO")
VERSION = "000002_20261116T060000Z"
WRITTEN = (
    FILE, f"{FILE}.wal", "warehouse.lease/00000002.json",
    "published", "published/CURRENT", "published/.tmp-CURRENT", f"published/{VERSION}",
    *(f"published/.tmp-{VERSION}{name}" for name in ("", "/marts.duckdb", "/marts.duckdb.wal", "/analytics.duckdb", "/manifest.json")),
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """What happens to the nth call of its kind that a thread makes."""

    call: str
    nth: int
    what: str

    def __str__(self) -> str:
        return f"{self.call}:{self.nth}:{self.what.partition('=')[2]}"


@pytest.fixture(scope="module")
def strace() -> str:
    """Return the path of a strace that may trace here."""
    found = shutil.which("strace")
    if not found:
        pytest.skip("no strace on this machine: apt-get install strace")
    if subprocess.run([found, "-o", "/dev/null", "true"], capture_output=True, timeout=60).returncode:
        pytest.skip("strace may not trace here: allow ptrace (docker run --cap-add SYS_PTRACE)")
    return found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder before the job."""
    folder = tmp_path_factory.mktemp("syscalls") / "before"
    folder.mkdir()
    small_job.prepare(folder)
    return folder


@pytest.fixture(scope="module")
def faults(strace: str, prepared: Path) -> list[Fault]:
    """Return every fault there is: each kind at each call that an undisturbed job makes."""
    folder = prepared.with_name("undisturbed")
    shutil.copytree(prepared, folder)
    done = traced(strace, folder, f"trace={','.join(CALLS)}")
    assert done.stdout.split() == ["committed", "published"], done.stderr
    made = Counter(re.findall(r"^(\d+) +(\w+)\(", (folder / "trace").read_text(encoding="utf-8"), re.MULTILINE))
    most = {call: max(times for (_, name), times in made.items() if name == call) for _, call in made}
    return [Fault(call, nth, what) for call in CALLS for nth in range(1, most.get(call, 0) + 1) for what in FAULTS]


def traced(strace: str, folder: Path, *wishes: str) -> subprocess.CompletedProcess[str]:
    """Run the job under strace, which looks at the written files alone."""
    asked = [part for wish in wishes for part in ("-e", wish)] + [part for name in WRITTEN for part in ("-P", str(folder / name))]
    command = [
        strace,
        "-f",
        "--seccomp-bpf",
        "-o",
        str(folder / "trace"),
        *asked,
        sys.executable,
        "-m",
        "tests.kills.small_job",
        str(folder),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def survived(strace: str, prepared: Path, folder: Path, fault: Fault) -> list[str] | None:
    """Do the job with a fault in a folder of its own, look, do it again without, and return what is wrong.

    None when the fault did not come: which thread writes what is DuckDB's affair, and strace counts by thread.
    """
    shutil.copytree(prepared, folder)
    done = traced(strace, folder, f"inject={fault.call}:{fault.what}:when={fault.nth}")
    if not has_struck(folder / "trace"):
        return None
    wrong = [] if is_honest(done, fault) else [f"ended with {done.returncode}: {done.stderr[-300:]}"]
    said = done.stdout.split()
    second = (ROWS, ROWS, 1)
    if (found := state(folder)) not in ([second] if "committed" in said else [second, (0, 0, 0)]):
        wrong.append(f"after {said} the log holds {found}")
    wrong += unwhole(folder / "published")
    if value(folder) not in ((2,) if "published" in said else (1, 2)):
        wrong.append(f"after {said} readers see {value(folder)}")
    if status := children.run(small_job.main, folder):
        wrong.append(f"the job cannot be done again: {status}")
    ended = (state(folder), value(folder), reported(folder))
    if ended != (second, 2, [(1, ROWS), (2, ROWS)]):
        wrong.append(f"in the end there is {ended}")
    wrong += log.broken(folder / FILE) + unwhole(folder / "published") + left_over(folder / "published")
    return [f"{fault}: {problem}" for problem in wrong]


def has_struck(trace: Path) -> bool:
    """Return whether strace says that a call failed by its doing, or that the process was killed."""
    text = trace.read_text(encoding="utf-8")
    return "(INJECTED)" in text or "killed by SIGKILL" in text


def is_honest(done: subprocess.CompletedProcess[str], fault: Fault) -> bool:
    """Return whether the job ended by the signal, or with an exception, or did everything in spite of the fault."""
    if fault.what == "signal=SIGKILL":
        return done.returncode == children.KILLED
    return done.returncode == 1 or (done.returncode == 0 and "published" in done.stdout)


def all_survived(strace: str, prepared: Path, folder: Path, wanted: Iterable[Fault]) -> tuple[int, list[str]]:
    """Let each fault happen, two at once; return how many came, and everything that is wrong."""

    def one(numbered: tuple[int, Fault]) -> list[str] | None:
        for attempt in range(3):
            place = folder / f"{numbered[0]}_{attempt}"
            found = survived(strace, prepared, place, numbered[1])
            shutil.rmtree(place)
            if found is not None:
                return found
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        came = [problems for problems in pool.map(one, enumerate(wanted)) if problems is not None]
    return len(came), [problem for problems in came for problem in problems]


def test_f2_the_first_write_of_each_kind_may_be_killed_or_fail_and_nothing_acknowledged_is_lost(strace, prepared, faults, tmp_path: Path):
    wanted = [fault for fault in faults if fault.nth == 1 and fault.call in ("pwrite64", "fdatasync", "rename")]
    assert all_survived(strace, prepared, tmp_path, wanted) == (9, [])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_f2_every_write_may_be_killed_or_fail_and_nothing_acknowledged_is_lost(strace, prepared, faults, tmp_path: Path, capsys):
    came, wrong = all_survived(strace, prepared, tmp_path, faults)
    bad = {problem.partition(": ")[0] for problem in wrong}
    with capsys.disabled():
        print(f"\nfaults of system calls: {came - len(bad)} of {came} survived ({len(faults) - came} of {len(faults)} did not come)")
    assert wrong == []
    assert came >= 0.9 * len(faults)

"""One process of a contestant: its exit, its CPU and the most memory that it and its children held at once."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    status: int  # negative: the signal that ended it
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float

    @property
    def is_well(self) -> bool:
        """Tell whether it ended by itself and well."""
        return self.status == 0


def run(
    command: Sequence[str], log: Path, environment: Mapping[str, str], patience: float = 600.0, kill_after: float | None = None
) -> Ended:
    """Run a command in a session of its own; what it prints goes to the log's end.

    Args:
        command: the program and its arguments.
        log: a file.
        environment: in place of this process's.
        patience: seconds, then it is killed with all its children.
        kill_after: seconds after which it is killed -9 with all its children, if it still runs.
    """
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(environment), start_new_session=True)
        memory = _Memory(process.pid)
        timer = threading.Timer(patience if kill_after is None else kill_after, _kill, [process.pid])
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        _kill(process.pid)  # children that were left behind
        process.returncode = os.waitstatus_to_exitcode(status)
    peak = max(memory.stop(), usage.ru_maxrss * 1024) / 1e6
    return Ended(process.returncode, time.monotonic() - began, usage.ru_utime + usage.ru_stime, peak)


def _kill(session: int) -> None:
    for pid in _members(session):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


class _Memory:
    """Samples the resident memory of a session."""

    def __init__(self, session: int) -> None:
        self._session, self._peak, self._over = session, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the most bytes seen at once."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, sum(_resident(pid) for pid in _members(self._session)))


def _members(session: int) -> list[int]:
    """Return the processes of a session."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _session_of(entry) == session]


def _session_of(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[3])
    except (FileNotFoundError, ProcessLookupError):
        return -1


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0

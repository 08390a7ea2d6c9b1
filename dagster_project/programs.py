"""Child processes: start one with a log, wait until it answers, name the one that died, stop them all."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0  # between asking a child to stop and killing it
LAST_LINES = 15


class ProgramDied(Exception):
    """A child process ended by itself: names it, its exit status, its log and the last lines of that."""


class NoAnswer(Exception):
    """A child process runs but does not answer in time: names it, its address and its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to start one child process, and where it answers."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    answers_at: str | None = None  # a URL that answers 200 once it is ready; None: it has no address


@dataclass(frozen=True, slots=True)
class Child:
    """A started program."""

    program: Program
    process: subprocess.Popen


def start(program: Program) -> Child:
    """Start the program in a process group of its own (a Ctrl-C reaches us alone), its output appended to its log."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            program.command,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(program, process)


def answers(url: str, timeout: float = 2.0) -> bool:
    """Return whether something answers 200 at `url` (http)."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:  # noqa: S310  the addresses are our own, on this machine
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def wait_until_answers(child: Child, seconds: float = 120.0) -> None:
    """Wait until the child answers at its address.

    Raises:
        ProgramDied: it ended instead.
        NoAnswer: it did not answer within `seconds`.
    """
    url, deadline = child.program.answers_at, time.monotonic() + seconds
    while url and not answers(url):
        check_alive(child)
        if time.monotonic() > deadline:
            raise NoAnswer(f"{child.program.name} does not answer at {url} after {seconds:.0f} s; its log: {child.program.log}")
        time.sleep(POLL_SECONDS)
    check_alive(child)


def check_alive(child: Child) -> None:
    """Raise ProgramDied when the child has ended."""
    status = child.process.poll()
    if status is not None:
        program = child.program
        raise ProgramDied(f"{program.name} ended with status {status}; the end of {program.log}:\n{tail(program.log)}")


def stop(children: Iterable[Child]) -> None:
    """Ask every child and what it started to stop, and kill what has not within the grace period."""
    children = list(children)
    for child in children:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
        _signal(child, signal.SIGKILL)
        child.process.wait()


def _signal(child: Child, number: signal.Signals) -> None:
    """Send a signal to the process group that the child leads; nothing when all of it has ended."""
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, number)


def tail(log: Path, lines: int = LAST_LINES) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

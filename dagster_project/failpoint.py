"""Places where a crash would hurt: a test, or a rehearsal of a disaster, acts there; otherwise nothing happens.

`MAINTAINX_FAILPOINT=<name>:<k>[:kill|raise|sleep]` acts when the place is reached for the k-th time (kill unless said
otherwise); `MAINTAINX_FAILPOINT_LOG=<file>` writes down each name that is reached.
"""

import os
import signal
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

Action = Callable[[str], None]  # called with the name of the place


class Crashed(BaseException):
    """Stands for the death of the process, for tests that stay in theirs; a BaseException, so that nothing catches it."""


def failpoint(name: str) -> None:
    """Say that the place is reached."""
    if _action is not None:
        _action(name)


@contextmanager
def arm(action: Action) -> Generator[None]:
    """Call `action` at each place that is reached while the block runs; what was armed before waits."""
    global _action  # noqa: PLW0603  one process, one set of places
    before, _action = _action, action
    try:
        yield
    finally:
        _action = before


def kill(_: str) -> None:
    """Die as by `kill -9`: no handler runs, no buffer is written."""
    os.kill(os.getpid(), signal.SIGKILL)


def crash(name: str) -> None:
    """Raise Crashed."""
    raise Crashed(name)


def sleep(_: str) -> None:
    """Stand still for an hour, as a process does that was stopped or swapped out."""
    time.sleep(3600)


ACTIONS: dict[str, Action] = {"kill": kill, "raise": crash, "sleep": sleep}


def at(place: str, nth: int, action: Action = kill) -> Action:
    """Return what acts when a place is reached for the nth time, counted from 1."""
    reached = count(1)

    def act(name: str) -> None:
        if name == place and next(reached) == nth:
            action(name)

    return act


def log_to(path: Path) -> Action:
    """Return what writes each name that is reached as a line of a file."""

    def write(name: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    return write


def from_environment(variables: Mapping[str, str]) -> Action | None:
    """Return what the variables ask for; None when they ask for nothing.

    Raises:
        ValueError: MAINTAINX_FAILPOINT is not `<name>:<k>[:kill|raise|sleep]`.
    """
    place, file = variables.get("MAINTAINX_FAILPOINT"), variables.get("MAINTAINX_FAILPOINT_LOG")
    wanted = [*([log_to(Path(file))] if file else []), *([_parsed(place)] if place else [])]
    if not wanted:
        return None

    def act(name: str) -> None:
        for each in wanted:
            each(name)

    return act


def _parsed(text: str) -> Action:
    name, _, rest = text.partition(":")
    nth, _, action = rest.partition(":")
    if not nth.isdecimal() or action not in {*ACTIONS, ""}:
        raise ValueError(f"MAINTAINX_FAILPOINT={text}: expected <name>:<k>[:{'|'.join(ACTIONS)}]")
    return at(name, int(nth), ACTIONS[action or "kill"])


_action: Action | None = from_environment(os.environ)

"""Who may write: a lock of the operating system for this machine, a lease with a fencing token for all machines.

The token is the number in the name of a lease's file: it only grows, and whoever has the largest one is the writer. The
files lie beside the warehouse, where every machine that can write to it sees them, whatever its locks are worth there.
"""

import fcntl
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import IO, Self

import msgspec
from msgspec.structs import replace

from dagster_project.warehouse.base import LeaseLost, WarehouseBusy

LEASE_SECONDS = 180.0  # after so long without a sign of life another machine may take the lease
RENEWALS = 6  # in that time
SAY_EVERY = 60.0  # seconds, while waiting
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # one for all containers of a kernel, another after each start of the machine

Say = Callable[[str], None]


class Holder(msgspec.Struct, frozen=True):
    """Who holds, or held, a lease."""

    fence: int
    host: str
    boot: str
    process: int
    command: str
    since: datetime  # on the wall, as all instants here
    renewed_at: datetime
    expires_at: datetime
    token: str
    is_released: bool = False

    def __str__(self) -> str:
        return f"process {self.process} on {self.host} ({self.command}) since {self.since:%Y-%m-%d %H:%M:%S} UTC"

    def is_on(self, other: Self) -> bool:
        """Return whether both run on one machine: there the lock of the operating system tells the dead from the living."""
        return self.host == other.host or bool(self.boot and self.boot == other.boot)

    def is_alive(self, at: datetime) -> bool:
        """Return whether a writer on another machine must be taken for alive."""
        return not self.is_released and at < self.expires_at


class Lease:
    """The right to write to one warehouse file, from `take` to `release`; renewed by a thread of its own.

    A process that was stopped, swapped out or cut off for longer than the lease lasts loses it to another machine. It does
    not know: so it must `check` before each commit.
    """

    def __init__(self, warehouse: Path, seconds: float = LEASE_SECONDS, host: str = "", command: str = ""):
        self.warehouse, self.seconds = warehouse, seconds
        self.folder = warehouse.with_suffix(".lease")
        self.me = _me(host, command or command_of(sys.argv), seconds)
        self.before: Holder | None = None  # whose lease it was
        self._lock: IO[str] | None = None
        self._ended = Event()
        self._beat: Thread | None = None
        self._failure: OSError | None = None

    @property
    def fence(self) -> int:
        """Return the fencing token."""
        return self.me.fence

    @property
    def is_taken_over(self) -> bool:
        """Return whether the writer before may still be there: it ran on another machine, and its lease has just run out."""
        return self.before is not None and not self.before.is_released and not self.before.is_on(self.me)

    def take(self, wait_seconds: float = 0, say: Say = print) -> None:
        """Become the writer; wait so long for another one, and say once a minute who that is.

        Raises:
            WarehouseBusy: another process writes, and went on doing so.
        """
        until, said_at = time.monotonic() + wait_seconds, -SAY_EVERY
        while True:
            try:
                return self._try()
            except WarehouseBusy as busy:
                if time.monotonic() >= until:
                    raise
                if time.monotonic() - said_at >= SAY_EVERY:
                    said_at = time.monotonic()
                    say(f"waiting at most {until - said_at:.0f} s more: {busy}")
            time.sleep(min(0.5, max(0.0, until - time.monotonic())))

    def is_lost(self) -> bool:
        """Return whether another writer has taken over."""
        newest = newest_holder(self.folder)
        return newest is None or newest.token != self.me.token

    def check(self) -> None:
        """Raise unless this process is still the writer.

        Raises:
            LeaseLost: another one has taken the lease.
            OSError: the lease could not be renewed (disk full, folder gone).
        """
        if self.is_lost():
            by = newest_holder(self.folder) or "someone who removed its files"
            raise LeaseLost(
                f"{self.warehouse} was taken over by {by} while this process stood still: its last batch was not stored; run again"
            )
        if self._failure:
            raise self._failure

    def release(self) -> None:
        """Let others write."""
        self._ended.set()
        if self._beat:
            self._beat.join()
        with suppress(OSError):  # a full disk: on this machine the lock says that we are gone, on another the lease runs out
            if not self.is_lost():
                self._write(replace(self.me, is_released=True))
        self._unlock()

    def _try(self) -> None:
        self._lock = self._locked()
        try:
            self._claim()
        except BaseException:
            self._unlock()
            raise
        self._beat = Thread(target=self._renew, name="lease", daemon=True)
        self._beat.start()

    def _locked(self) -> IO[str]:
        path = self.warehouse.with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        found = path.open("r+", encoding="utf-8")
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found.close()
            raise self._busy(newest_holder(self.folder)) from None
        return found

    def _claim(self) -> None:
        """Take the next fencing token; of two machines that try at once, one succeeds."""
        self.folder.mkdir(exist_ok=True)
        self.before = newest_holder(self.folder)
        now = wall_clock()
        if self.before and not self.before.is_on(self.me) and self.before.is_alive(now):
            raise self._busy(self.before)
        fence = self.before.fence + 1 if self.before else 1
        self.me = replace(self.me, fence=fence, since=now, renewed_at=now, expires_at=now + timedelta(seconds=self.seconds))
        aside = self._aside(self.me)
        try:
            self._path(fence).hardlink_to(aside)  # fails when the name is there: a test and a set in one
        except FileExistsError:
            raise self._busy(newest_holder(self.folder)) from None
        finally:
            aside.unlink()
        for path in self.folder.glob("*.json"):
            if int(path.stem) < fence:
                path.unlink(missing_ok=True)

    def _busy(self, holder: Holder | None) -> WarehouseBusy:
        what = f"{self.warehouse} is being written by {holder or 'another process'}"
        if holder and not holder.is_alive(wall_clock()):
            what += f", which gave no sign of life after {holder.renewed_at:%H:%M:%S} UTC (stopped?)"
        elif holder and not holder.is_on(self.me):
            what += f"; its lease lasts until {holder.expires_at:%H:%M:%S} UTC unless it is renewed"
        return WarehouseBusy(f"{what}: wait until it has finished (--wait SECONDS does), or stop it, and start again")

    def _renew(self) -> None:
        while not self._ended.wait(self.seconds / RENEWALS):
            try:
                self._renew_once()
            except OSError as error:
                self._failure = error  # raised by `check`, where the work is
                return

    def _renew_once(self) -> None:
        if not self.is_lost():
            now = wall_clock()
            self.me = replace(self.me, renewed_at=now, expires_at=now + timedelta(seconds=self.seconds))
            self._write(self.me)

    def _write(self, holder: Holder) -> None:
        self._aside(holder).replace(self._path(holder.fence))

    def _aside(self, holder: Holder) -> Path:
        path = self.folder / f"{holder.token}.tmp"
        path.write_bytes(msgspec.json.encode(holder))
        return path

    def _path(self, fence: int) -> Path:
        return self.folder / f"{fence:08}.json"

    def _unlock(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None


def newest_holder(folder: Path) -> Holder | None:
    """Return who took the lease last, None when nobody ever did."""
    while paths := sorted(folder.glob("*.json")):
        try:
            return msgspec.json.decode(paths[-1].read_bytes(), type=Holder)
        except FileNotFoundError:  # taken over between the two lines
            continue
    return None


def command_of(arguments: list[str]) -> str:
    """Return what a process does, in two words: options and their values may hold what others must not read."""
    program = Path(arguments[0]) if arguments and arguments[0] else Path("python")
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join([name, *(word for word in arguments[1:2] if word[0].isalpha())])[:60]


def _me(host: str, command: str, seconds: float) -> Holder:
    boot = "" if host or not _BOOT.is_file() else _BOOT.read_text(encoding="ascii").strip()
    now, token = wall_clock(), secrets.token_hex(8)
    return Holder(0, host or socket.gethostname(), boot, os.getpid(), command, now, now, now + timedelta(seconds=seconds), token)


def wall_clock() -> datetime:
    """Return the instant on this machine's wall."""
    return datetime.now(UTC)


def is_free(warehouse: Path) -> bool:
    """Return whether no process of this machine writes to the warehouse at this moment."""
    path = warehouse.with_suffix(".lock")
    if not path.exists():
        return True
    with path.open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True

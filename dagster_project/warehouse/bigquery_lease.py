"""Who may write to the warehouse in BigQuery: one row of ops.lease, changed by single statements that BigQuery keeps apart.

All instants are BigQuery's own, so it does not matter what the clocks of two machines say.
"""

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Event, RLock, Thread

import polars as pl

from dagster_project.warehouse.base import BigQueryTrouble, LeaseLost, WarehouseBusy
from dagster_project.warehouse.bigquery_jobs import LEASE_LOST, TYPES, Jobs
from dagster_project.warehouse.lease import SAY_EVERY, command_of
from dagster_project.warehouse.tables import LEASE, TEXT

LEASE_SECONDS = 600  # after so long without a sign of life another process may take the lease
RENEWALS = 5  # in that time
LEASES: dict[str, pl.DataType] = {**LEASE, "token": TEXT}

Say = Callable[[str], None]


class BigQueryLease:
    """The right to write, from `take` to `release`; renewed by a thread of its own.

    Every transaction renews it too, and fails when another process has taken it meanwhile: of two transactions that change
    the row of the lease BigQuery lets one through.
    """

    def __init__(self, jobs: Jobs, seconds: int = LEASE_SECONDS):
        self.jobs, self.seconds, self.token = jobs, seconds, secrets.token_hex(8)
        self.holder = f"process {os.getpid()} on {socket.gethostname()} ({command_of(sys.argv)})"
        self.fence = 0
        self._ended, self._beat, self._failure = Event(), None, None
        self._writing = RLock()  # the thread does not renew while a transaction does

    def take(self, wait_seconds: float, say: Say) -> None:
        """Become the writer; wait so long for another one, and say once a minute who that is.

        Raises:
            WarehouseBusy: another process writes, and went on doing so.
        """
        self._make_row()
        until, said_at = time.monotonic() + wait_seconds, -SAY_EVERY
        while not self._is_taken():
            busy = self._busy()
            if time.monotonic() >= until:
                raise WarehouseBusy(busy)
            if time.monotonic() - said_at >= SAY_EVERY:
                said_at = time.monotonic()
                say(f"waiting at most {until - said_at:.0f} s more: {busy}")
            time.sleep(min(5.0, max(0.0, until - time.monotonic())))
        self._beat = Thread(target=self._renew, name="lease", daemon=True)
        self._beat.start()

    def release(self) -> None:
        """Let others write."""
        self._ended.set()
        if self._beat:
            self._beat.join()
            with suppress(BigQueryTrouble):  # it then runs out by itself
                self.jobs.run(f"update ops.lease set expires_at = current_timestamp() where token = '{self.token}'")

    def check(self) -> None:
        """Raise unless this process is still the writer.

        Raises:
            LeaseLost: another one has taken the lease.
            BigQueryTrouble: the lease could not be renewed.
        """
        if self._row()["token"] != self.token:
            raise LeaseLost(f"{self.jobs.place} was taken over by {self._row()['holder']} while this process stood still: run again")
        if self._failure:
            raise self._failure

    @contextmanager
    def guarding(self) -> Generator[str]:
        """Give the statements that a transaction begins with: they renew the lease, or end it when the lease is lost."""
        with self._writing:
            yield (
                f"{self._renewal()};\n"
                f"select if((select count(*) from ops.lease where token = '{self.token}') = 1, 1, error('{LEASE_LOST}')) as is_ours;\n"
            )

    def _make_row(self) -> None:
        """Make the table with its one row, in one statement: of many who begin at once, one makes it."""
        nothing = {name: f"cast(null as {TYPES[type(dtype)]})" for name, dtype in LEASES.items()}
        first = nothing | {"fence": "0", "token": "''", "expires_at": "timestamp '1970-01-01 00:00:00+00'"}
        self.jobs.run(f"create table if not exists ops.lease as select {', '.join(f'{value} as {name}' for name, value in first.items())}")

    def _is_taken(self) -> bool:
        self.jobs.run(
            f"""update ops.lease set fence = fence + 1, token = '{self.token}', holder = {_text(self.holder)},
            taken_at = current_timestamp(), renewed_at = current_timestamp(), expires_at = {self._expiry}
            where expires_at <= current_timestamp()"""
        )
        row = self._row()
        self.fence = row["fence"]
        return row["token"] == self.token

    @property
    def _expiry(self) -> str:
        return f"timestamp_add(current_timestamp(), interval {self.seconds} second)"

    def _renewal(self) -> str:
        return f"update ops.lease set renewed_at = current_timestamp(), expires_at = {self._expiry} where token = '{self.token}'"

    def _renew(self) -> None:
        while not self._ended.wait(self.seconds / RENEWALS):
            try:
                with self._writing:
                    self.jobs.run(self._renewal())
            except (BigQueryTrouble, LeaseLost) as error:
                self._failure = error  # raised by `check`, where the work is
                return

    def _row(self) -> dict:
        rows = self.jobs.query("select fence, token, holder, renewed_at, expires_at from ops.lease").to_dicts()
        if len(rows) != 1:
            raise BigQueryTrouble(f"{self.jobs.place}: ops.lease has {len(rows)} rows, not one: leave the newest of them")
        return rows[0]

    def _busy(self) -> str:
        row = self._row()
        since = f"its lease lasts until {row['expires_at']:%H:%M:%S} UTC unless it is renewed"
        todo = "wait until it has finished (--wait SECONDS does), or stop it, and start again"
        return f"{self.jobs.place} is being written by {row['holder']}; {since}: {todo}"


def _text(value: str) -> str:
    return "'" + "".join(letter for letter in value if letter.isprintable() and letter not in "'\\") + "'"

"""Who may write: fencing tokens only grow, the dead are followed at once, the silent when their lease has run out."""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from typing import IO

import msgspec
import pytest
from msgspec.structs import replace

from dagster_project.settings import ROOT
from dagster_project.warehouse.base import LeaseLost, WarehouseBusy
from dagster_project.warehouse.lease import Holder, Lease, command_of, newest_holder


class DistantLease(Lease):
    """A lease of another machine, which no lock of ours reaches."""

    def _locked(self) -> IO[str]:
        return (self.warehouse.parent / f"{self.me.host}.lock").open("w", encoding="utf-8")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def taken(lease: Lease) -> Lease:
    lease.take()
    return lease


def let_expire(warehouse: Path) -> None:
    """Let the time of the newest lease be over."""
    path = max(warehouse.with_suffix(".lease").glob("*.json"))
    holder = msgspec.json.decode(path.read_bytes(), type=Holder)
    path.write_bytes(msgspec.json.encode(replace(holder, expires_at=holder.since)))


def test_each_writer_has_a_larger_token_than_the_one_before(warehouse):
    fences = []
    for _ in range(3):
        lease = taken(Lease(warehouse))
        fences.append(lease.fence)
        lease.release()
    assert fences == [1, 2, 3]
    assert [path.name for path in sorted((warehouse.with_suffix(".lease")).iterdir())] == ["00000003.json"]


def test_who_holds_the_lease_is_said_with_process_machine_command_and_time(warehouse):
    holder = taken(Lease(warehouse, command="maintainx refresh"))
    with pytest.raises(WarehouseBusy) as refused:
        Lease(warehouse).take()
    who = f"process {os.getpid()} on {socket.gethostname()} (maintainx refresh) since {holder.me.since:%Y-%m-%d %H:%M:%S} UTC"
    assert str(refused.value) == (
        f"{warehouse} is being written by {who}: wait until it has finished (--wait SECONDS does), or stop it, and start again"
    )
    holder.release()
    taken(Lease(warehouse)).release()


def test_one_that_waits_says_for_whom_and_writes_when_the_first_has_finished(warehouse):
    first, said = taken(Lease(warehouse)), []
    Timer(0.3, first.release).start()
    second = Lease(warehouse)
    second.take(wait_seconds=30, say=said.append)
    assert second.fence == first.fence + 1
    assert [text.partition(":")[0] for text in said] == ["waiting at most 30 s more"]
    assert f"process {os.getpid()}" in said[0]
    second.release()


def test_one_that_waited_in_vain_is_refused(warehouse):
    first, started = taken(Lease(warehouse)), time.monotonic()
    with pytest.raises(WarehouseBusy):
        Lease(warehouse).take(wait_seconds=0.2, say=[].append)
    assert 0.2 <= time.monotonic() - started < 5
    first.release()


DIE = """
import os, pathlib, sys
from dagster_project.warehouse.lease import Lease
Lease(pathlib.Path(sys.argv[1])).take()
os.kill(os.getpid(), 9)
"""


def test_a_dead_writer_of_this_machine_is_followed_at_once(warehouse):
    assert subprocess.run([sys.executable, "-c", DIE, str(warehouse)], cwd=ROOT).returncode == -9
    lease = taken(Lease(warehouse))
    assert (lease.fence, lease.is_taken_over) == (2, False)
    lease.release()


def test_a_silent_writer_of_another_machine_is_followed_when_its_lease_has_run_out(warehouse):
    assert subprocess.run([sys.executable, "-c", DIE, str(warehouse)], cwd=ROOT).returncode == -9
    lease = DistantLease(warehouse, host="elsewhere")
    with pytest.raises(WarehouseBusy, match=r"; its lease lasts until \d\d:\d\d:\d\d UTC unless it is renewed: wait"):
        lease.take()
    let_expire(warehouse)
    lease.take()
    assert (lease.fence, lease.is_taken_over) == (2, True)
    lease.release()


def test_a_lease_is_renewed_for_as_long_as_its_writer_works(warehouse):
    holder = taken(Lease(warehouse, seconds=0.3))
    time.sleep(0.6)
    with pytest.raises(WarehouseBusy):
        DistantLease(warehouse, host="elsewhere").take()
    holder.check()
    holder.release()
    taken(DistantLease(warehouse, host="elsewhere")).release()


def test_a_writer_that_gives_no_sign_of_life_on_this_machine_is_named_as_such(warehouse):
    holder = taken(Lease(warehouse, seconds=-60))
    with pytest.raises(WarehouseBusy, match=r"gave no sign of life after \d\d:\d\d:\d\d UTC \(stopped\?\)"):
        Lease(warehouse).take()
    holder.release()


def test_whoever_lost_the_lease_is_told_by_whom(warehouse):
    first = taken(Lease(warehouse, seconds=3600))
    let_expire(warehouse)
    second = taken(DistantLease(warehouse, host="elsewhere", command="maintainx reconcile"))
    with pytest.raises(LeaseLost, match=r"taken over by process \d+ on elsewhere \(maintainx reconcile\).*its last batch was not stored"):
        first.check()
    second.check()
    first.release()
    assert newest_holder(second.folder) == second.me
    second.release()


def test_a_lease_whose_files_were_removed_is_lost(warehouse):
    lease = taken(Lease(warehouse))
    for path in lease.folder.iterdir():
        path.unlink()
    with pytest.raises(LeaseLost, match="someone who removed its files"):
        lease.check()
    lease.release()


def test_a_lease_that_cannot_be_renewed_stops_the_next_commit(warehouse):
    lease = taken(Lease(warehouse, seconds=0.3))
    (lease.folder / f"{lease.me.token}.tmp").mkdir()
    time.sleep(0.2)
    with pytest.raises(OSError, match="Is a directory"):
        lease.check()
    (lease.folder / f"{lease.me.token}.tmp").rmdir()
    lease.release()


def test_of_many_machines_that_take_the_lease_at_once_one_gets_it(warehouse):
    leases = [DistantLease(warehouse, host=f"machine-{number}") for number in range(12)]

    def attempt(lease: Lease) -> bool:
        try:
            lease.take()
        except WarehouseBusy:
            return False
        return True

    with ThreadPoolExecutor(len(leases)) as pool:
        got = list(pool.map(attempt, leases))
    assert sum(got) == 1
    leases[got.index(True)].release()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/srv/.venv/bin/maintainx", "refresh", "--accept", "work_orders"], "maintainx refresh"),
        (["/lib/dagster/__main__.py", "api", '{"token": "secret"}'], "dagster api"),
        (["/usr/bin/tool", "--token=secret"], "tool"),
        (["/usr/bin/tool", '{"token": "secret"}'], "tool"),
        (["-c"], "-c"),
        ([""], "python"),
        ([], "python"),
    ],
    ids=["console", "module", "option", "document", "code", "interactive", "nothing"],
)
def test_a_command_is_told_without_its_options(arguments, said):
    assert command_of(arguments) == said

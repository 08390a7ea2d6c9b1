"""Failpoints: silent unless asked for, exact when asked."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project import failpoint
from dagster_project.failpoint import Crashed
from dagster_project.settings import environment

REACHES = "from dagster_project.failpoint import failpoint\nfor _ in range(3): failpoint('a'); failpoint('b')"


def reach(**variables: str) -> int:
    return subprocess.run([sys.executable, "-c", REACHES], env=environment(**variables), timeout=60).returncode


def test_nothing_happens_at_a_place_that_nobody_armed():
    assert failpoint.failpoint("anywhere") is None
    assert failpoint.from_environment({}) is None


def test_the_environment_kills_a_process_at_the_kth_time_it_reaches_a_place(tmp_path: Path):
    log = tmp_path / "reached"
    assert reach(MAINTAINX_FAILPOINT="b:2", MAINTAINX_FAILPOINT_LOG=str(log)) == -signal.SIGKILL
    assert log.read_text().split() == ["a", "b", "a", "b"]


def test_a_place_that_is_not_reached_so_often_kills_nothing():
    assert reach(MAINTAINX_FAILPOINT="b:4") == 0


def test_what_is_armed_is_called_with_each_name_until_the_block_ends():
    reached: list[str] = []
    with failpoint.arm(reached.append):
        failpoint.failpoint("a")
        with failpoint.arm(failpoint.at("c", 1, failpoint.crash)), pytest.raises(Crashed, match="c"):
            failpoint.failpoint("c")
        failpoint.failpoint("b")
    failpoint.failpoint("d")
    assert reached == ["a", "b"]


@pytest.mark.parametrize("text", ["commit", "commit:first", "commit:1:explode"])
def test_a_wish_that_cannot_be_understood_is_refused(text: str):
    with pytest.raises(ValueError, match=r"expected <name>:<k>\[:kill\|raise\|sleep\]"):
        failpoint.from_environment({"MAINTAINX_FAILPOINT": text})

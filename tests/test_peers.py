"""The side by side: its pins are exact, its configurations can be read, and our own contestant passes the checks that all must pass."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from benchmarks.peers import report
from benchmarks.peers.contest import Course, Entry, check_first_load
from benchmarks.peers.contestants import CONTESTANTS, Contestant, pins
from benchmarks.peers.holding import Differences, differences
from benchmarks.peers.results import Result
from benchmarks.peers.running import run
from benchmarks.peers.schema_events import EVENTS, Verdict
from benchmarks.peers.source import Plant, Row
from dagster_project.settings import ROOT

PEERS = ROOT / "benchmarks" / "peers"
WITH_PINS = sorted(PEERS.glob("*/requirements.txt"))
SMALL = Course(scale=0.02)
OURS = next(one for one in CONTESTANTS if one.name == "ours")


@pytest.mark.parametrize("path", WITH_PINS, ids=lambda path: path.parent.name)
def test_every_requirement_of_a_peer_is_one_exact_version(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^\s;]*", line)] == []


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda one: one.name)
def test_every_contestant_has_a_program_that_says_what_it_is_and_tells_its_versions(contestant: Contestant) -> None:
    assert ast.get_docstring(ast.parse(contestant.script.read_text(encoding="utf-8")))
    assert (contestant.script.parent / "README.md").exists()
    assert set(contestant.packages) <= (set(pins(contestant.requirements)) if contestant.requirements.exists() else set())
    assert contestant.versions()


def test_the_manifest_of_airbyte_reads_both_lists_incrementally_with_the_overlap_of_all() -> None:
    manifest = yaml.safe_load((PEERS / "airbyte" / "manifest.yaml").read_text(encoding="utf-8"))
    assert [stream["name"] for stream in manifest["streams"]] == ["work_orders", "assets"]
    assert manifest["definitions"]["incremental"]["lookback_window"] == "PT3H"
    assert manifest["version"] == pins(PEERS / "airbyte" / "requirements.txt")["airbyte-cdk"]


@pytest.mark.parametrize("name", ["ours", "plain"])
def test_a_first_load_in_fair_weather_equals_the_source(name: str) -> None:
    check_first_load(next(one for one in CONTESTANTS if one.name == name), SMALL)


def test_our_contestant_killed_in_a_sync_is_right_after_the_next(tmp_path: Path) -> None:
    plant = Plant(SMALL.scale, SMALL.seed, share=0.0, lag=0)
    plant.world.clear()
    folder = tmp_path / "data"
    folder.mkdir()
    with plant.served():
        entry = Entry(OURS, plant, folder)
        assert entry.sync(kill_after=0.5).status < 0
        assert entry.sync().is_well
        assert entry.differences() == Differences()


def test_differences_tell_missing_ghost_stale_and_labour_apart() -> None:
    row = Row(1, "pump", "OPEN", "LOW", 60)
    truth = {("work_orders", number): row for number in range(4)}
    rows = {("work_orders", 1): row._replace(labour=0), ("work_orders", 2): row._replace(title="fan"), ("work_orders", 9): row}
    assert differences(truth, {**rows, ("work_orders", 3): row}, 1) == Differences(missing=1, ghost=1, stale=2, stale_labour=1, double=1)


def test_a_killed_process_takes_its_children_with_it_and_says_so(tmp_path: Path) -> None:
    ended = run(["sh", "-c", "sleep 60 & sleep 60"], tmp_path / "log", {"PATH": "/usr/bin:/bin"}, kill_after=0.2)
    assert (ended.status, ended.is_well) == (-9, False)
    assert ended.wall_seconds < 10


def test_the_table_tells_who_could_not_be_run_and_why() -> None:
    verdicts = [Verdict(event.name, False, "the sync | fails") for event in EVENTS]
    found = Result("ours", "this repository", "2026-11-20", "a machine", events=verdicts)
    lines = list(report.document(SMALL, [(OURS, found)]))
    assert f"| {OURS.label} | not run |" in "\n".join(lines)
    assert f"| {EVENTS[0].name} | **the sync / fails** |" in lines

"""`kill -9` at every place of a backup, a restore, a replay of the log and one of the quarantine; and two writers at once."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project import backup
from tests.kills import children, log
from tests.kills.plant import served, world_after
from tests.kills.stages import AT_ONCE, FILE, numbered
from tests.kills.test_disk_and_limits import command, wait_for

MEND = """update ops.quarantine set raw_json = replace(raw_json, '"description": 7', '"description": "seven"')"""
STATUSES = "select record_id, reason_code, status, times_seen from ops.quarantine order by all"


def backed_up(folder: Path) -> object:
    """Return what the newest backup holds, and what was left aside."""
    newest = backup.newest_backup(folder / "backups")
    assert newest is not None
    tables = json.loads((newest / "manifest.json").read_text(encoding="utf-8"))["tables"]
    return {name: about["digest"] for name, about in tables.items() if name.startswith("raw.")}, sorted((folder / "backups").glob(".tmp*"))


def logged(folder: Path) -> object:
    """Return what the log holds and what is in quarantine, and whether it keeps its laws."""
    with duckdb.connect(str(folder / FILE), read_only=True) as connection:
        return log.history(folder / FILE), connection.execute(STATUSES).fetchall(), log.broken(folder / FILE)


@dataclass(frozen=True)
class Command:
    """A command, and what it leaves behind."""

    name: str
    outcome: Callable[[Path], object]


COMMANDS = (Command("backup", backed_up), Command("restore", logged), Command("replay", logged), Command("quarantine replay", logged))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder whose log has a record in quarantine that the program can read by now."""
    folder = tmp_path_factory.mktemp("commands") / "day"
    folder.mkdir()
    for step in ("first load", "a day later"):
        with served(world_after(step)) as url:
            assert children.run(children.read, folder, url) == 0
    with duckdb.connect(str(folder / FILE)) as connection:
        assert connection.execute(MEND).fetchall() == [(1,)]
    return folder


def before(one: Command, day: Path, folder: Path) -> Path:
    """Return a folder in which the command is about to begin."""
    shutil.copytree(day, folder)
    if one.name == "restore":
        assert children.run(children.work, "backup", folder) == 0
        (folder / FILE).unlink()
    return folder


def killed(one: Command, start: Path, folder: Path, place: tuple[str, int], wanted: object) -> list[str]:
    """Do the command in a folder of its own, die at a place, do it again, and return what is wrong."""
    shutil.copytree(start, folder)
    status = children.run(children.work_and_die, one.name, folder, *place)
    wrong = [] if status == children.KILLED else [f"ended with {status}"]
    children.run(children.work, one.name, folder)  # a restore that was complete refuses to be made again
    found = one.outcome(folder)
    wrong += [] if found == wanted else [f"left {found}, not {wanted}"]
    shutil.rmtree(folder)
    return [f"{one.name}, {place[0]}:{place[1]}: {problem}" for problem in wrong]


def all_killed(one: Command, day: Path, folder: Path, every: bool) -> tuple[int, list[str]]:
    """Kill the command at every place, or at each kind of place once; return how many and what is wrong."""
    start, whole = before(one, day, folder / "start"), folder / "whole"
    shutil.copytree(start, whole)
    assert children.run(children.work_and_log, one.name, whole, folder / "reached") == 0
    assert one.name != "quarantine replay" or "replayed" in str(one.outcome(whole))
    wanted, places = one.outcome(whole), numbered((folder / "reached").read_text(encoding="utf-8").split("\n")[:-1])
    picked = places if every else tuple(dict(reversed(places)).items())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda each: killed(one, start, folder / str(each[0]), each[1], wanted), enumerate(picked))
        return len(picked), [problem for problems in found for problem in problems]


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
def test_f1_a_command_killed_once_at_each_kind_of_place_is_done_again_and_leaves_the_same(day: Path, tmp_path: Path, one: Command):
    times, wrong = all_killed(one, day, tmp_path, every=False)
    assert (times >= 3, wrong) == (True, [])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
def test_f1_a_command_killed_at_every_place_is_done_again_and_leaves_the_same(day: Path, tmp_path: Path, one: Command, capsys):
    times, wrong = all_killed(one, day, tmp_path, every=True)
    with capsys.disabled():
        print(f"\nkill points of {one.name}: {times - len(wrong)} of {times} recovered")
    assert wrong == []


def test_g8_a_run_beside_another_is_told_who_writes_and_comes_to_its_turn_when_that_one_dies(tmp_path: Path):
    with served(world_after("first load")) as url:
        first = children.start(children.read_and_stand_still, tmp_path, url)
        try:
            wait_for(lambda: (tmp_path / FILE).exists() and children.run(children.read, tmp_path, url) == 1)
            beside = command(tmp_path, url, "backup")
            _, errors = beside.communicate(timeout=120)
            assert beside.returncode == 1
            assert errors.startswith(f"error: {tmp_path / FILE} is being written by process {first.pid} on ")
            assert "wait until it has finished" in errors
        finally:
            first.kill()
            first.join()
        assert children.run(children.read, tmp_path, url) == 0
        assert log.broken(tmp_path / FILE) == []

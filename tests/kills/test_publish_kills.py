"""`kill -9` while models are built and published: readers see whole versions only, and the marts end equal to a rebuild from the log."""

import re
import shutil
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.publish import current, told
from tests.kills import children
from tests.kills.plant import served, world_after
from tests.kills.readers import left_over, reader, unwhole
from tests.kills.stages import AT_ONCE, FILE, differing, numbered

pytestmark = pytest.mark.dbt

NOWHERE = "http://127.0.0.1:9/v1"  # the source is not asked
REPORTED = "select * exclude (version) from ops.kpi_reported"


@dataclass(frozen=True)
class Stage:
    """A log that holds an hour more than the marts and the published version."""

    before: Path  # data folder
    places: tuple[tuple[str, int], ...]
    marts: dict[str, str]  # of an uninterrupted build
    reported: str

    def killed(self, folder: Path, place: str, nth: int) -> list[str]:
        """Build and publish in a folder of its own, die at a place, look at what readers see, recover, and return what is wrong."""
        shutil.copytree(self.before, folder)
        with reader(folder / "published") as seen:
            status = children.run(children.publish_and_die, folder, NOWHERE, place, nth)
            wrong = [] if status == children.KILLED else [f"ended with {status}"]
            wrong += unwhole(folder / "published")
            if status := children.run(children.publish, folder, NOWHERE):
                wrong.append(f"the recovery ended with {status}")
            wrong += unwhole(folder / "published") + left_over(folder / "published")
            wrong += differing("a rebuild", marts(folder / FILE), self.marts)
            if (found := rows_of(folder / FILE, REPORTED)) != self.reported:
                wrong.append(f"what was reported differs: {found}, not {self.reported}")
        shutil.rmtree(folder)
        return [f"{place}:{nth}: {problem}" for problem in [*wrong, *seen]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Return the stage: a day is read and published, an hour more is read."""
    before = tmp_path_factory.mktemp("publish") / "before"
    before.mkdir()
    with served(world_after("a day later")) as url:
        assert children.run(children.read, before, url) == 0
        assert children.run(children.publish, before, url) == 0
    with served(world_after("an hour later")) as url:
        assert children.run(children.read, before, url) == 0
    whole = before.with_name("whole")
    shutil.copytree(before, whole)
    log = whole / "reached"
    assert children.run(children.publish_and_log, whole, NOWHERE, log) == 0
    return Stage(
        before, numbered(log.read_text(encoding="utf-8").split("\n")[:-1]), marts(whole / FILE), rows_of(whole / FILE, REPORTED)
    )  # fmt: skip


def marts(warehouse: Path) -> dict[str, str]:
    """Return the digest of each table and view of the models."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables where table_schema in ('marts', 'intermediate')"
        ).fetchall()
        return {name: _digest(connection, f"from {name}") for (name,) in sorted(names)}


def rows_of(warehouse: Path, query: str) -> str:
    """Return the digest of a query's rows."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return _digest(connection, query)


def _digest(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    [(rows, digest)] = connection.execute(f"select count(*), sum(hash(t)) from ({query}) t").fetchall()
    return f"{rows} rows {digest}"


def all_killed(stage: Stage, folder: Path, places: Iterable[tuple[str, int]]) -> list[str]:
    """Kill at each place, two at once, and return everything that is wrong."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda one: stage.killed(folder / str(one[0]), *one[1]), enumerate(places))
        return [problem for problems in found for problem in problems]


def test_f1_killed_once_at_each_kind_of_place_of_a_publication_readers_see_whole_versions_and_the_marts_end_equal(
    built: Stage, tmp_path: Path, capsys
):
    middle = {name: (times + 1) // 2 for name, times in sorted(Counter(name for name, _ in built.places).items())}
    assert {"models.before_build", "models.node_done", "models.after_build", "publish.before_pointer", "pointer.written"} <= set(middle)
    wrong = all_killed(built, tmp_path, middle.items())
    with capsys.disabled():
        print(f"\nkilled at {len(middle)} kinds of places of a publication: {len(middle) - len(wrong)} of {len(middle)} recovered")
    assert wrong == []


@pytest.mark.parametrize(
    "harm",
    ["insert into raw.work_orders from raw.work_orders limit 1", "update ops.sites set time_zone = 'Nowhere/Land'"],
    ids=["a data test fails", "a model fails"],
)
def test_g5_what_cannot_be_modelled_is_not_published_and_readers_are_told(built: Stage, tmp_path: Path, harm: str):
    folder = tmp_path / "harmed"
    shutil.copytree(built.before, folder)
    before = current(folder / "published")
    shutil.copy(folder / FILE, tmp_path / FILE)
    with duckdb.connect(str(folder / FILE)) as connection:
        connection.execute(harm)
    assert children.run(children.publish, folder, NOWHERE) == 1
    assert (current(folder / "published"), unwhole(folder / "published")) == (before, [])
    notice = told(folder / "published") or ""
    assert re.fullmatch(r"What was read up to .* could not be published: .* failed\. These are the figures of the version before\.", notice)
    shutil.copy(tmp_path / FILE, folder / FILE)
    assert children.run(children.publish, folder, NOWHERE) == 0
    assert (current(folder / "published") != before, told(folder / "published")) == (True, None)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_f1_killed_at_every_place_of_a_publication_readers_see_whole_versions_and_the_marts_end_equal(built: Stage, tmp_path: Path, capsys):
    wrong = all_killed(built, tmp_path, built.places)
    with capsys.disabled():
        print(f"\nkill points of a publication: {len(built.places) - len(wrong)} of {len(built.places)} recovered")
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_f1_killed_while_dbt_itself_builds_the_marts_end_equal(built: Stage, tmp_path: Path, share: float):
    without = tmp_path / "without"
    shutil.copytree(built.before, without)
    (without / "dbt" / "statements.json").unlink()
    nodes = sum(name == "models.node_done" for name, _ in built.places)
    place = "models.node_done", max(1, round(share * nodes))
    assert Stage(without, built.places, built.marts, built.reported).killed(tmp_path / "killed", *place) == []


def test_f1_the_marts_of_an_uninterrupted_build_equal_a_rebuild_from_the_log_in_an_empty_place(built: Stage, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert children.run(children.rebuild_elsewhere, built.before, empty) == 0
    assert differing("a build over the past", marts(empty / FILE), built.marts) == []

"""Tokens and personal data planted in the source stand in nothing that the whole job leaves behind."""

import sqlite3
import traceback
from collections.abc import Generator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import sqlalchemy.event
from typer.testing import CliRunner

from dagster_project import cli, settings
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.publish import current
from dashboards import data
from tests.defs.canaries import CANARIES, TOKENS, Talkative, hits, leaks, planted, served
from tests.defs.conftest import pointed_at
from tests.scripted import Clock
from tests.test_redaction import logged

pytestmark = [
    pytest.mark.dagster,
    pytest.mark.dbt,
    # Dagster's resources ask pydantic for its old name of a model's fields
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]
REFUSAL = {
    "status": 400,
    "body": {"errors": [{"error": f"no user {CANARIES['e-mail']} with token {CANARIES['token']}", "fieldPath": "id"}]},
}


@dataclass
class Left:
    """What a whole life of the product left behind: its folder, and what it said."""

    folder: Path
    said: str
    statuses: list[int]
    quarantined: int


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Refresh with faults, fail, run in Dagster, probe, export, back up; every log at its most talkative."""
    folder = tmp_path_factory.mktemp("canaries")
    (folder / "logs").mkdir()
    tokens = dict(zip(("TOKEN_101", "TOKEN_102"), TOKENS, strict=True))
    simulator = Talkative(planted(), tokens=TOKENS)
    with served(simulator) as url, pointed_at(url, folder, **tokens), logged(folder / "logs" / "everything.log"):
        said, statuses = console(simulator)
        said += in_dagster(folder)
        said += failing(simulator, url)
        export(folder)
        found = settings.load()
        with duckdb.connect(str(found.warehouse_path), read_only=True) as connection:
            row = connection.execute("select count(*) from ops.quarantine").fetchone()
    return Left(folder, said, statuses, row[0] if row else 0)


def console(simulator: Talkative) -> tuple[str, list[int]]:
    """Run the console's commands, each with a fault in its way, and return all that they printed and their exit statuses."""
    said, statuses = [], []
    refused, revoked = {"action": "respond", **REFUSAL}, {"action": "unauthorized", "times": None}
    for command, faults in (
        (["refresh"], [revoked]),
        (["refresh"], [{"action": "500", "match": {"path": "/users"}}, {**refused, "match": {"path": "/categories", "organisation": 101}}]),
        (["probe"], [{**refused, "match": {"path": "/vendors"}}]),
        (["quarantine", "list", "--json"], []),
        (["status"], []),
        (["backup"], []),
    ):
        simulator.faults.clear()
        simulator.faults.load(faults)
        done = CliRunner().invoke(cli.app, command)
        said += [done.output, "".join(traceback.format_exception(done.exception)) if done.exception else ""]
        statuses.append(done.exit_code)
    return "".join(said), statuses


@contextmanager
def in_instance(folder: Path) -> Generator[tuple[pytest.MonkeyPatch, dg.DagsterInstance]]:
    """A Dagster with databases in the folder, which need not survive a power cut: each of a thousand events is a commit."""

    def in_haste(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("pragma synchronous = off")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", in_haste)
    try:
        with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
            yield patch, instance
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", in_haste)


def in_dagster(folder: Path) -> str:
    """Run the job in Dagster, one organisation refused, with its databases in the folder; return what it printed."""
    from dagster_project.definitions import defs  # noqa: PLC0415  the settings of this test count from here on

    printed = folder / "logs" / "dagster.txt"
    (folder / "dagster").mkdir(exist_ok=True)
    with printed.open("w") as out, redirect_stdout(out), redirect_stderr(out), in_instance(folder) as (patch, instance):
        job = defs().resolve_job_def("refresh")
        patch.setenv("TOKEN_102", CANARIES["token"])  # the other organisation's
        assert not job.execute_in_process(instance=instance, raise_on_error=False).success
    return printed.read_text()


def failing(simulator: Talkative, url: str) -> str:
    """Let every kind of answer fail a client, and return all that its exceptions can show, with those that led to them."""
    said = []
    for action in ("unauthorized", "forbidden", "not_found", "500", "truncated", "cut", "respond", "429"):
        simulator.faults.clear()
        simulator.faults.add(action, times=None, details=REFUSAL)
        with quick_client(url) as client:
            said.append(everything(raised(client)))
    simulator.faults.clear()
    return "".join(said)


def quick_client(url: str) -> MaintainX:
    """Return a client whose waits take no time."""
    clock = Clock()
    return MaintainX(url, CANARIES["token"], clock=clock, sleep=clock.sleep)


def raised(client: MaintainX) -> BaseException:
    with pytest.raises(MaintainXError) as caught:
        list(client.pages("/users", "users", [("email", CANARIES["e-mail"])]))
    return caught.value


def everything(error: BaseException) -> str:
    """Return all that an exception shows to whoever looks: its words, arguments, fields, traceback, and its ancestors'."""
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), "".join(traceback.format_exception(error))]
    ancestors = [each for each in (error.__cause__, error.__context__) if each is not None]
    return "".join(shown) + "".join(map(everything, ancestors))


def export(folder: Path) -> None:
    """Write what each page can download, as the dashboard does."""
    version = str(current(settings.load().published_dir))
    sites = data.organisations(version)["organisation_id"].to_list()
    names = [name for one in sites for name in data.sites(version, one)["site_id"].to_list()]
    (folder / "exports").mkdir()
    for name in ("endpoints", "reconciliations", "quarantined", "drift", "gaps", "freshness", "organisations", "definitions"):
        getattr(data, name)(version).write_csv(folder / "exports" / f"{name}.csv")
    data.attention(version, names).write_csv(folder / "exports" / "attention.csv")


def test_i4_nothing_that_the_whole_job_leaves_behind_holds_a_secret_or_personal_data(left):
    assert leaks(left.folder) == []


def test_i4_nothing_that_the_whole_job_says_holds_a_secret_or_personal_data(left):
    assert hits(left.said) == []


def test_i4_the_job_really_ran_failed_and_set_rows_aside(left):
    assert left.statuses == [1, 1, 0, 0, 0, 0]
    assert left.quarantined >= 3
    assert "Unauthorized" in left.said
    assert "<e-mail>" in left.said
    kinds = {path.suffix or path.name for path in left.folder.rglob("*") if path.is_file()}
    assert {".duckdb", ".parquet", ".db", ".json", ".log", ".csv"} <= kinds


def plant_in_log(folder: Path, canary: str) -> None:
    (folder / "run.log").write_text(f"2026-11-20 reading with {canary}\n")


def plant_in_duckdb(folder: Path, canary: str) -> None:
    with duckdb.connect(str(folder / "marts.duckdb")) as connection:
        connection.execute("create table t as select repeat('x', 3) || ? || i as word from range(10000) r(i)", [canary])
        connection.execute("create table n as select ? as value", [canary])


def plant_in_parquet(folder: Path, canary: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select ? || i as word from range(1000) r(i)", [canary])
        connection.execute(f"copy t to '{folder / 'users.parquet'}' (format parquet, compression zstd)")


def plant_in_sqlite(folder: Path, canary: str) -> None:
    with closing(sqlite3.connect(folder / "runs.db")) as connection:
        connection.execute("create table events (event text)")
        connection.execute("insert into events values (?)", [canary])
        connection.commit()


@pytest.mark.parametrize("plant", [plant_in_log, plant_in_duckdb, plant_in_parquet, plant_in_sqlite], ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", CANARIES)
def test_i4_a_canary_that_is_planted_on_purpose_is_found(tmp_path, plant, name):
    plant(tmp_path, CANARIES[name])
    assert {found for _, found in leaks(tmp_path)} == {name}


@pytest.mark.parametrize("name", CANARIES)
def test_i4_a_canary_in_an_exception_is_found(name):
    error = RuntimeError("nothing to see")
    error.__context__ = ValueError(CANARIES[name])
    error.__suppress_context__ = True
    assert hits(everything(error)) == [name]

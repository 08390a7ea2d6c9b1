"""Dagster beyond one machine: runs, events and ticks in a real Postgres, a daemon and a worker that are killed there."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
import yaml
from dagster._core.scheduler.instigation import ScheduleInstigatorData

from dagster_project import programs, up
from dagster_project.publish import current
from dagster_project.settings import ROOT, Settings, load
from tests import postgres_server
from tests.defs.conftest import free_port, pointed_at
from tests.defs.test_launch import JOB, LAUNCH, STATUS, ask
from tests.postgres_server import Server

pytestmark = pytest.mark.dagster
CONFIGURATION = ROOT / "deploy" / "dagster.yaml"
START_SCHEDULE = """mutation ($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
  __typename ... on PythonError { message } } }"""
HELD_SLOTS = "select 1 from concurrency_slots where run_id = %s"
SEEN_BY_ANOTHER = "import sys, dagster as dg; print(dg.DagsterInstance.get().get_run_by_id(sys.argv[1]).status.value)"


@pytest.fixture
def postgres() -> Iterator[Server]:
    folder = postgres_server.binaries()
    if folder is None:
        pytest.skip(postgres_server.HINT)
    with postgres_server.server(folder) as found:
        yield found


@pytest.fixture
def home(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a DAGSTER_HOME with the configuration of a server, and let the environment name it and its Postgres."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copyfile(CONFIGURATION, folder / "dagster.yaml")
    for name, value in (postgres.variables | {"DAGSTER_HOME": str(folder)}).items():
        monkeypatch.setenv(name, value)
    return folder


def rows(postgres: Server, query: str, *values: object) -> list[tuple]:
    connection = psycopg2.connect(postgres.address)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()
    finally:
        connection.close()


@dg.job
def small() -> None:
    @dg.op
    def nothing() -> None: ...

    nothing()


def test_a_server_is_configured_as_make_up_is_save_for_its_storage():
    on_a_server, at_home = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (CONFIGURATION, ROOT / "dagster.yaml"))
    storage = on_a_server.pop("storage")["postgres"]["postgres_db"]
    assert on_a_server == at_home
    assert storage.pop("scheme") == "postgresql+psycopg2"
    assert set(storage) == {"hostname", "port", "db_name", "username", "password"}
    assert [name for name, value in storage.items() if list(value) != ["env"]] == []


def test_a_run_and_its_events_lie_in_postgres_and_another_process_sees_them(postgres: Server, home: Path):
    with dg.DagsterInstance.get() as instance:
        done = small.execute_in_process(instance=instance)
        logged = len(instance.all_logs(done.run_id))
    assert rows(postgres, "select status from runs where run_id = %s", done.run_id) == [("SUCCESS",)]
    assert rows(postgres, "select count(*) from event_logs where run_id = %s", done.run_id) == [(logged,)]
    assert logged > 4
    told = subprocess.run([sys.executable, "-c", SEEN_BY_ANOTHER, done.run_id], capture_output=True, text=True, check=True)
    assert told.stdout == "SUCCESS\n"
    assert [path.name for path in home.rglob("*.db")] == []


@dataclass
class Running:
    """A webserver and a daemon over one Postgres."""

    settings: Settings
    postgres: Server
    address: str
    daemon_program: programs.Program
    children: list[programs.Child]

    def launch(self) -> str:
        launched = ask(self.address, LAUNCH, params={"selector": JOB, "mode": "default"})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def status(self, run_id: str) -> str:
        return ask(self.address, STATUS, id=run_id)["runOrError"]["status"]

    def wait_for(self, run_id: str, *statuses: str, seconds: int = 240) -> str:
        return until(lambda: (found := self.status(run_id)) in statuses and found, seconds)

    def start_daemon(self) -> programs.Child:
        self.children.append(programs.start(self.daemon_program))
        return self.children[-1]

    def runs(self) -> dict[str, str]:
        """Return the status of each run, the oldest first."""
        return dict(rows(self.postgres, "select run_id, status from runs order by id"))

    def times(self, event: str) -> dict[str, int]:
        """Return how often an event was logged of each run."""
        query = "select run_id, count(*) from event_logs where dagster_event_type = %s group by run_id"
        return dict(rows(self.postgres, query, event))


def until(look: Callable[[], object], seconds: int = 240) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return str(found)
        time.sleep(0.5)
    raise TimeoutError(f"nothing came in {seconds} s")


@pytest.fixture
def running(simulator: str, postgres: Server, home: Path, tmp_path: Path) -> Iterator[Running]:
    port, data = free_port(), tmp_path / "data"
    data.mkdir()
    variables = postgres.variables | {"DAGSTER_HOME": str(home)}
    with pointed_at(simulator, data, DAGSTER_PORT=str(port), MAINTAINX_TOKEN="demo", **variables):
        settings = load()
        webserver, daemon = (on_server(program, variables) for program in up.services(settings) if program.name.startswith("dagster"))
        found = Running(settings, postgres, f"http://127.0.0.1:{port}/graphql", daemon, [programs.start(webserver)])
        try:
            programs.wait_until_answers(found.children[0])
            yield found
        finally:
            programs.stop(found.children)


def on_server(program: programs.Program, variables: dict[str, str]) -> programs.Program:
    """Return a program of `make up` that reads the server's configuration."""
    return programs.Program(program.name, program.command, {**program.environment, **variables}, program.log, program.answers_at)


def switched_on_two_hours_ago() -> None:
    """Let the one schedule that is on owe the ticks of two hours."""
    with dg.DagsterInstance.get() as instance:
        for state in instance.all_instigator_state():
            if isinstance(state.instigator_data, ScheduleInstigatorData):
                since = ScheduleInstigatorData(state.instigator_data.cron_schedule, start_timestamp=time.time() - 7200)
                instance.update_instigator_state(state.with_data(since))


def worker(running: Running, run_id: str) -> int:
    """Return the process of a run that executes its steps by now."""
    query = "select event from event_logs where run_id = %s and event like '%%Executing steps in process (pid:%%'"
    told = until(lambda: [event for (event,) in rows(running.postgres, query, run_id)])
    return int(re.findall(r"Executing steps in process \(pid: (\d+)\)", told)[0])


def kill_process(process: int) -> None:
    with suppress(ProcessLookupError):  # it belongs to the group that was killed before
        os.kill(process, signal.SIGKILL)


def killed(child: programs.Child) -> None:
    """Kill the one process, and nothing that it started."""
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()


@pytest.mark.slow
def test_a_schedule_that_owes_ticks_and_the_sensors_tick_and_ask_for_one_run_together(running: Running):
    selector = {"repositoryName": JOB["repositoryName"], "repositoryLocationName": JOB["repositoryLocationName"]}
    answer = ask(running.address, START_SCHEDULE, selector=selector | {"scheduleName": "hourly_refresh"})["startSchedule"]
    assert answer["__typename"] == "ScheduleStateResult", answer
    switched_on_two_hours_ago()
    running.start_daemon()
    ticks = "select status from job_ticks where type = 'SCHEDULE'"
    until(lambda: ("SUCCESS",) in rows(running.postgres, ticks))
    [run_id] = running.runs()
    assert running.wait_for(run_id, "SUCCESS", "FAILURE") == "SUCCESS"
    assert rows(running.postgres, ticks) == [("SUCCESS",)]
    assert list(running.runs()) == [run_id]
    assert current(running.settings.published_dir) is not None
    until(lambda: rows(running.postgres, "select 1 from job_ticks where type = 'SENSOR' and status = 'SKIPPED'"))


@pytest.mark.slow
def test_g1_a_daemon_that_is_killed_in_the_middle_goes_on_after_its_restart_and_doubles_no_run(running: Running):
    daemon = running.start_daemon()
    first, waiting = running.launch(), running.launch()
    running.wait_for(first, "STARTED")
    killed(daemon)
    assert running.status(waiting) == "QUEUED"
    running.start_daemon()
    assert [running.wait_for(run_id, "SUCCESS", "FAILURE") for run_id in (first, waiting)] == ["SUCCESS", "SUCCESS"]
    assert running.runs() == {first: "SUCCESS", waiting: "SUCCESS"}
    once = {first: 1, waiting: 1}
    assert (running.times("PIPELINE_START"), running.times("PIPELINE_SUCCESS")) == (once, once)


@pytest.mark.slow
def test_g1_a_worker_that_is_killed_is_marked_as_failed_and_its_retry_heals(running: Running):
    running.start_daemon()
    dead = running.launch()
    kill_process(worker(running, dead))
    assert running.wait_for(dead, "SUCCESS", "FAILURE") == "FAILURE"
    retry = until(lambda: next((run_id for run_id in running.runs() if run_id != dead), None))
    assert running.wait_for(retry, "SUCCESS", "FAILURE") == "SUCCESS"
    assert running.runs() == {dead: "FAILURE", retry: "SUCCESS"}
    assert current(running.settings.published_dir) is not None


@pytest.mark.slow
def test_g2_when_worker_code_server_and_daemon_die_together_the_slot_is_freed_and_a_retry_heals(running: Running):
    daemon = running.start_daemon()
    dead = running.launch()
    worker_process = worker(running, dead)
    until(lambda: rows(running.postgres, HELD_SLOTS, dead))
    os.killpg(daemon.process.pid, signal.SIGKILL)
    kill_process(worker_process)
    assert running.status(dead) == "STARTED"
    running.start_daemon()
    assert running.wait_for(dead, "SUCCESS", "FAILURE", seconds=400) == "FAILURE"
    retry = until(lambda: next((run_id for run_id in running.runs() if run_id != dead), None))
    assert running.wait_for(retry, "SUCCESS", "FAILURE", seconds=400) == "SUCCESS"
    until(lambda: not rows(running.postgres, "select 1 from concurrency_slots where run_id is not null"))

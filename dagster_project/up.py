"""Everything at once: simulator, Dagster webserver and daemon, dashboard, until Ctrl-C."""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from dagster_project import embedded, models, programs
from dagster_project.settings import ROOT, Settings, environment

LOOK_SECONDS = 1.0  # between two looks at whether every child still lives


class _Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def up(settings: Settings, say: Callable[[str], None] = print) -> int:
    """Run all services until Ctrl-C or SIGTERM (returns 0) or until one of them dies (returns 1, with its log)."""
    if settings.maintainx_token is None:
        settings = embedded.embedded(settings)
    models.manifest(settings)  # else webserver and daemon, which both need it, would write it at the same time
    return run(settings, services(settings), say)


def dashboard(settings: Settings, say: Callable[[str], None] = print) -> int:
    """Run the dashboard alone until Ctrl-C or SIGTERM."""
    return run(settings, [_dashboard(settings)], say)


def simulator(settings: Settings, *options: str, say: Callable[[str], None] = print) -> int:
    """Run the simulator alone until Ctrl-C or SIGTERM; `options` are its own."""
    source = f"MAINTAINX_URL={embedded.address(settings)}/v1 MAINTAINX_TOKEN={embedded.TOKEN}"
    say(f"read it from another window: {source} DATA_DIR={settings.data_dir / 'trial'} make refresh")
    return run(settings, [embedded.program(settings, *options)], say)


def services(settings: Settings) -> list[programs.Program]:
    """Return what `make up` runs, in the order of starting; the simulator only when it is the source and none runs yet."""
    simulators = [embedded.program(settings)] if settings.maintainx_url.startswith(embedded.address(settings)) else []
    missing = [program for program in simulators if not programs.answers(str(program.answers_at))]
    return [*missing, *_dagster(settings), _dashboard(settings)]


def run(settings: Settings, wanted: list[programs.Program], say: Callable[[str], None]) -> int:
    """Start the programs, say where each answers, and keep them until a signal comes or one of them dies."""
    children: list[programs.Child] = []
    with _stopped_by_signals():
        try:
            for program in wanted:  # one after the other: webserver and daemon would both create a new instance's database, and one die
                children.append(programs.start(program))
                programs.wait_until_answers(children[-1])
                say(_line(program))
            say(f"logs in {settings.log_dir}; Ctrl-C stops all")
            _watch(children)
        except _Stopped:
            say("stopping")
            return 0
        except (programs.ProgramDied, programs.NoAnswer) as error:
            say(str(error))
            return 1
        finally:
            programs.stop(children)


def _watch(children: list[programs.Child]) -> NoReturn:
    while True:
        for child in children:
            programs.check_alive(child)
        time.sleep(LOOK_SECONDS)


def _line(program: programs.Program) -> str:
    if program.answers_at is None:
        return f"{program.name:<20} runs"
    return f"{program.name:<20} {'/'.join(program.answers_at.split('/')[:3])}"


@contextmanager
def _stopped_by_signals() -> Generator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in before:  # a second Ctrl-C must not leave children behind
            signal.signal(number, signal.SIG_IGN)
        raise _Stopped

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _dagster(settings: Settings) -> list[programs.Program]:
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
    workspace = ("--workspace", str(ROOT / "workspace.yaml"))
    port = str(settings.dagster_port)
    variables = embedded.variables(settings) | {"DAGSTER_HOME": str(home)}
    webserver = (_script("dagster-webserver"), *workspace, "--host", "127.0.0.1", "--port", port)
    daemon = (_script("dagster-daemon"), "run", *workspace)
    return [
        programs.Program(
            "dagster webserver",
            webserver,
            environment(**variables),
            settings.log_dir / "webserver.log",
            f"http://127.0.0.1:{port}/server_info",
        ),
        programs.Program("dagster daemon", daemon, environment(**variables), settings.log_dir / "daemon.log"),
    ]


def _dashboard(settings: Settings) -> programs.Program:
    port = str(settings.dashboard_port)
    command = (sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboards" / "app.py"))
    options = ("--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", port)
    url = f"http://127.0.0.1:{port}/_stcore/health"
    return programs.Program(
        "dashboard", (*command, *options), environment(**embedded.variables(settings)), settings.log_dir / "dashboard.log", url
    )


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))

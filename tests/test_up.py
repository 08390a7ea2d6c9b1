"""Child processes: each answers before it is announced, a dead one is named, and none is left behind."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from dagster_project import embedded, programs, up
from dagster_project.settings import Settings, environment, load

SERVER = """
import http.server, sys
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def settings(tmp_path: Path, unused_port: int) -> Settings:
    return load(data_dir=tmp_path, simulator_port=unused_port)


def server(settings: Settings, port: int) -> programs.Program:
    command = (sys.executable, "-c", SERVER, str(port))
    return programs.Program("server", command, environment(), settings.log_dir / "server.log", f"http://127.0.0.1:{port}/")


def dying(settings: Settings) -> programs.Program:
    command = (sys.executable, "-c", "print('about to fail'); raise SystemExit('no such port')")
    return programs.Program("dying", command, environment(), settings.log_dir / "dying.log", "http://127.0.0.1:9/")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_child(settings: Settings, unused_port: int, number: signal.Signals) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.endswith("Ctrl-C stops all"):
            threading.Timer(0.1, os.kill, (os.getpid(), number)).start()

    assert up.run(settings, [server(settings, unused_port)], say) == 0
    assert said == [f"{'server':<20} http://127.0.0.1:{unused_port}", f"logs in {settings.log_dir}; Ctrl-C stops all", "stopping"]
    assert not programs.answers(f"http://127.0.0.1:{unused_port}/")


def test_a_child_that_dies_is_named_with_the_end_of_its_log_and_takes_the_others_down(settings: Settings, unused_port: int) -> None:
    said: list[str] = []
    assert up.run(settings, [server(settings, unused_port), dying(settings)], said.append) == 1
    assert said[-1] == f"dying ended with status 1; the end of {settings.log_dir / 'dying.log'}:\nabout to fail\nno such port"
    assert not programs.answers(f"http://127.0.0.1:{unused_port}/")


def test_a_child_that_does_not_answer_in_time_is_named(settings: Settings) -> None:
    silent = programs.Program(
        "silent", (sys.executable, "-c", "import time; time.sleep(60)"), environment(), settings.log_dir / "s", "http://127.0.0.1:9/"
    )
    child = programs.start(silent)
    try:
        with pytest.raises(programs.NoAnswer, match=r"silent does not answer at http://127\.0\.0\.1:9/ after 0 s"):
            programs.wait_until_answers(child, seconds=0.3)
    finally:
        programs.stop([child])


def test_a_child_that_ignores_the_request_to_stop_is_killed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "GRACE_SECONDS", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = programs.start(programs.Program("deaf", (sys.executable, "-c", deaf), environment(), settings.log_dir / "deaf.log"))
    while not child.program.log.read_text(encoding="utf-8"):
        programs.check_alive(child)
    programs.stop([child])
    assert child.process.returncode == -signal.SIGKILL


def test_what_a_child_started_is_stopped_with_it(settings: Settings, unused_port: int) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SERVER!r}, '{unused_port}'])"
    url = f"http://127.0.0.1:{unused_port}/"
    child = programs.start(programs.Program("parent", (sys.executable, "-c", parent), environment(), settings.log_dir / "parent.log", url))
    programs.wait_until_answers(child)
    programs.stop([child])
    assert not programs.answers(url)


def test_the_children_of_the_demo_read_the_simulator(settings: Settings) -> None:
    variables = {program.name: program.environment for program in up.services(embedded.embedded(settings))}
    wanted = {
        "MAINTAINX_URL": f"http://127.0.0.1:{settings.simulator_port}/v1",
        "MAINTAINX_TOKEN": "demo",
        "DATA_DIR": str(settings.data_dir),
    }
    for name in ("dagster webserver", "dagster daemon", "dashboard"):
        assert {key: variables[name][key] for key in wanted} == wanted


def test_with_a_token_of_ones_own_no_simulator_is_started(tmp_path: Path) -> None:
    own = load(data_dir=tmp_path, maintainx_token="secret")
    assert [program.name for program in up.services(own)] == ["dagster webserver", "dagster daemon", "dashboard"]


def test_the_demo_keeps_its_data_apart_from_that_of_a_real_source(tmp_path: Path) -> None:
    assert embedded.embedded(load(data_dir=tmp_path)).data_dir == tmp_path
    assert embedded.embedded(load(data_dir=tmp_path, maintainx_token="secret")).data_dir == tmp_path / "demo"


def test_a_token_is_not_printed_with_the_settings(tmp_path: Path) -> None:
    assert "secret" not in repr(load(data_dir=tmp_path, maintainx_token="secret"))


def test_a_program_writes_to_its_log_only(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    child = programs.start(programs.Program("loud", (sys.executable, "-c", "print('hello')"), environment(), settings.log_dir / "loud.log"))
    assert child.process.wait() == 0
    assert capfd.readouterr() == ("", "")
    assert programs.tail(child.program.log) == "hello"

"""The simulator as a server: its controls, its clock on disk, its start from the command line."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn

from simulator import saved
from simulator.__main__ import main
from simulator.api import Simulator
from simulator.server import application

ROOT = Path(__file__).resolve().parents[2]
BEARER = {"Authorization": "Bearer demo-101"}


@pytest.fixture
def told() -> list[datetime]:
    """The instants of the clock that were told to whoever saves it."""
    return []


@pytest.fixture
def web(simulator: Simulator, unused_port: int, told: list[datetime]) -> Iterator[httpx.Client]:
    """A client of the simulator behind a real socket."""
    app = application(simulator, on_advance=lambda: told.append(simulator.world.instant))
    server = uvicorn.Server(uvicorn.Config(app, port=unused_port, log_level="critical", date_header=False, server_header=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{unused_port}") as client:
        yield client
    server.should_exit = True
    thread.join()


def test_http_answers_what_the_simulator_answers(web, simulator):
    answer = web.get(
        "/v1/workorders", params=[("limit", "3"), ("expand", "assignees"), ("updatedAt[gte]", "2026-10-01T00:00:00.000Z")], headers=BEARER
    )
    query = [("limit", "3"), ("expand", "assignees"), ("updatedAt[gte]", "2026-10-01T00:00:00.000Z")]
    assert answer.content == simulator.respond("GET", "/v1/workorders", query, BEARER).body
    assert answer.headers["date"] == "Mon, 16 Nov 2026 06:00:00 GMT"
    assert answer.headers["x-rate-limit-limit"] == "100000"


def test_the_state_needs_no_token_and_counts_every_table(web):
    state = web.get("/_simulator/state").json()
    assert (state["now"], state["seed"], state["scale"], state["organisations"]) == ("2026-11-16T06:00:00Z", 7, 0.03, [101, 102])
    assert state["counts"]["work_orders"] > 100
    assert state["requests"] == 0


def test_an_advance_moves_the_clock_and_says_what_changed(web):
    answer = web.post("/_simulator/advance", json={"days": 3, "hours": 2, "minutes": 30}).json()
    assert answer["now"] == "2026-11-19T08:30:00Z"
    assert answer["changes"]["work_orders updated"] > 0
    assert web.get("/_simulator/state").json()["now"] == answer["now"]


@pytest.mark.parametrize("body", ["{", '{"weeks": 1}', '{"days": -1}', '{"days": "x"}', "[]"])
def test_an_advance_that_makes_no_sense_is_refused(web, body):
    answer = web.post("/_simulator/advance", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_faults_are_set_and_cleared_over_http(web):
    assert web.post("/_simulator/faults", json=[{"match": {"path": "users"}, "action": "500", "times": 2}]).json()["faults"] == 1
    assert web.get("/v1/users", headers=BEARER).status_code == 500
    assert web.delete("/_simulator/faults").json() == {"faults": 0, "struck": {}}
    assert web.get("/v1/users", headers=BEARER).status_code == 200
    assert web.post("/_simulator/faults", json=[{"action": "explode"}]).status_code == 400


def test_every_version_of_a_table_can_be_read(web, world):
    lines = [json.loads(line) for line in web.get("/_simulator/versions/users").text.splitlines()]
    assert [(line["id"], line["record"]) for line in lines] == [(version.id, version.record) for version in world.versions("users")]
    assert set(lines[0]) == {"organisation_id", "table", "id", "at", "record"}
    assert web.get("/_simulator/versions/nonsense").status_code == 404


def test_requests_are_counted_by_path_and_by_status(web):
    web.get("/v1/users", headers=BEARER)
    web.get("/v1/users")
    assert web.get("/_simulator/requests").json() == {"paths": {"users": 2}, "statuses": {"200": 1, "401": 1}}


def test_each_advance_is_told_to_whoever_saves_it(web, told):
    web.post("/_simulator/advance", json={"hours": 1})
    assert told == [datetime(2026, 11, 16, 7, tzinfo=UTC)]


def test_what_was_saved_is_read_again_and_only_of_the_same_world(tmp_path):
    before = saved.Saved(7, 0.5, datetime(2026, 11, 20, 6, tzinfo=UTC))
    saved.write(tmp_path / "state", before)
    assert saved.read(tmp_path / "state") == before
    assert list((tmp_path / "state").iterdir()) == [tmp_path / "state" / "simulator.json"]
    assert before.is_of(7, 0.5, None)
    assert not before.is_of(8, 0.5, None)
    assert saved.read(tmp_path) is None


def test_the_command_line_explains_itself(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in ("--seed", "--scale", "--load", "--state", "--rate-limit", "/_simulator/advance"))


def test_a_folder_without_recordings_ends_the_start_with_a_word(capsys, tmp_path):
    assert main(["--load", str(tmp_path)]) == 2
    assert "no *.ndjson.gz files" in capsys.readouterr().err


@pytest.mark.parametrize("switch", ["colour=blue", "list_lag_seconds=long", "deleted_get=gone"])
def test_a_switch_that_does_not_exist_ends_the_start_with_a_word(capsys, switch):
    assert main(["--switch", switch]) == 2
    assert capsys.readouterr().err.startswith("simulator: ")


def _start(port: int, *arguments: str) -> tuple[subprocess.Popen, str]:
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--scale", "0.02", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONWARNINGS": "error"})
    assert process.stdout is not None
    line = process.stdout.readline()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/_simulator/state")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            break
    return process, line


def _stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)


def test_a_restart_goes_on_where_it_stopped(tmp_path, unused_port):
    url = f"http://127.0.0.1:{unused_port}"
    process, line = _start(unused_port, "--state", str(tmp_path), "--rate-limit", "100", "--switch", "list_lag_seconds=1")
    try:
        assert line == f"simulator: {url}/v1 · organisations 101, 102 · tokens demo, demo-101, demo-102 · clock 2026-11-16 06:00 UTC\n"
        httpx.post(f"{url}/_simulator/advance", json={"days": 2})
        before = httpx.get(f"{url}/v1/workorders?sort=-updatedAt&limit=200", headers=BEARER)
        assert before.headers.get_list("date") == ["Wed, 18 Nov 2026 06:00:00 GMT"]
        assert before.headers["x-rate-limit-limit"] == "100"
        httpx.post(f"{url}/_simulator/faults", json=[{"action": "cut"}])
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}/v1/workorders", headers=BEARER)
    finally:
        _stop(process)
    assert json.loads((tmp_path / "simulator.json").read_text())["now"] == "2026-11-18T06:00:00Z"
    process, line = _start(unused_port, "--state", str(tmp_path))
    try:
        assert line.endswith("clock 2026-11-18 06:00 UTC\n")
        assert httpx.get(f"{url}/v1/workorders?sort=-updatedAt&limit=200", headers=BEARER).content == before.content
    finally:
        _stop(process)


def test_a_full_walk_is_fast(standing_world):
    simulator = Simulator(standing_world)
    expands = [("expand", each) for each in ("assignees", "categories", "parts", "time_items", "expenditures", "extra_fields")]
    expands += [("expand", each) for each in ("vendor_ids", "team_ids", "estimated_time")]
    query = [("limit", "200"), ("sort", "updatedAt"), ("show_upcoming", "true"), *expands]
    began, count, cursor = time.process_time(), 0, None
    for _ in range(150):
        body = simulator.respond("GET", "/v1/workorders", [*query, *([("cursor", cursor)] if cursor else [])], BEARER).body
        page = json.loads(body)
        count, cursor = count + len(page["workOrders"]), page["nextCursor"]
    assert count / (time.process_time() - began) > 20_000

"""The embedded source of the demo: the simulator as a child process, and settings that point to it."""

import json
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager

from pydantic import SecretStr

from dagster_project import programs
from dagster_project.settings import ROOT, Settings, environment

SEED = 7
TOKEN = "demo"  # noqa: S105  the simulator's, known to everybody
SITES_FILE = ROOT / "data" / "demo" / "sites.toml"


def address(settings: Settings) -> str:
    """Return where the simulator answers, without /v1."""
    return f"http://127.0.0.1:{settings.simulator_port}"


def embedded(settings: Settings) -> Settings:
    """Return the settings with the simulator as their source: its address, token and sites.

    Where a token says that this machine reads a real MaintainX, the demo's data lies in a folder of its own below DATA_DIR.
    """
    data_dir = settings.data_dir / "demo" if settings.maintainx_token else settings.data_dir
    source = {"maintainx_url": f"{address(settings)}/v1", "maintainx_token": SecretStr(TOKEN), "sites_file": SITES_FILE}
    return settings.model_copy(update={**source, "data_dir": data_dir})


def program(settings: Settings, *options: str) -> programs.Program:
    """Return how the simulator is started; its state lies in DATA_DIR, so that its clock goes on after a restart."""
    command = (sys.executable, "-m", "simulator", "--host", "127.0.0.1", "--port", str(settings.simulator_port))
    state = ("--seed", str(SEED), "--state", str(settings.simulator_dir))
    return programs.Program(
        "simulator",
        (*command, *state, *options),
        environment(),
        settings.log_dir / "simulator.log",
        f"{address(settings)}/_simulator/state",
    )


def variables(settings: Settings) -> dict[str, str]:
    """Say to a child what these settings are, so that it reads the same source and writes to the same folder."""
    token, sites = settings.maintainx_token, settings.sites_file
    return {
        "MAINTAINX_URL": settings.maintainx_url,
        "MAINTAINX_TOKEN": token.get_secret_value() if token else "",
        "SITES_FILE": str(sites) if sites else "",
        "DATA_DIR": str(settings.data_dir),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running(settings: Settings) -> Generator[bool]:
    """Give a simulator that answers, for as long as the block runs: False when one ran already, True when this started it.

    Raises:
        programs.ProgramDied, programs.NoAnswer: it could not be started.
    """
    if programs.answers(f"{address(settings)}/_simulator/state"):
        yield False
        return
    child = programs.start(program(settings))
    try:
        programs.wait_until_answers(child)
        yield True
    finally:
        programs.stop([child])


def advance(settings: Settings, **span: int) -> dict:
    """Move the simulator's clock by days, hours, minutes; return its answer: `now`, and `changes` (kind → how many records)."""
    return ask(settings, "/_simulator/advance", {"days": 0, **span})


def ask(settings: Settings, path: str, body: dict | None = None) -> dict:
    """Return what the simulator on this machine answers at a path of its own; with a body it is a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address(settings)}{path}", data, {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=900) as response:  # noqa: S310  our own child, on this machine
        return json.load(response)

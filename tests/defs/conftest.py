"""A simulator in a process of its own, and the settings that point to it."""

import os
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagster_project import programs
from dagster_project.settings import ROOT, Settings, environment

SITES = """
[[organisations]]
id = 101
token_variable = "TOKEN_101"

[[organisations]]
id = 102
token_variable = "TOKEN_102"
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address, with /v1, of a small company with two organisations; its clock stands still."""
    folder, port = tmp_path_factory.mktemp("simulator"), free_port()
    command = (sys.executable, "-m", "simulator", "--port", str(port), "--seed", "7", "--scale", "0.01", "--state", str(folder))
    child = programs.start(
        programs.Program("simulator", command, environment(), folder / "log", f"http://127.0.0.1:{port}/_simulator/state")
    )
    try:
        programs.wait_until_answers(child)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        programs.stop([child])


@contextmanager
def pointed_at(simulator: str, folder: Path, **variables: str) -> Generator[pytest.MonkeyPatch]:
    """Let the environment say: this simulator, this data folder, a token for each of the two organisations."""
    (folder / "sites.toml").write_text(SITES)
    declared = {
        "MAINTAINX_URL": simulator,
        "DATA_DIR": str(folder),
        "SITES_FILE": str(folder / "sites.toml"),
        "ENV_FILE": str(folder / ".env"),
    }
    tokens = {"TOKEN_101": "demo-101", "TOKEN_102": "demo-102"}
    with pytest.MonkeyPatch.context() as patch:
        for name in (*Settings.model_fields, "dagster_home"):
            patch.delenv(name.upper(), raising=False)
        for name, value in (declared | tokens | variables).items():
            patch.setenv(name, value)
        yield patch


def inherited(**variables: str) -> dict[str, str]:
    """Return the environment of a child process."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}

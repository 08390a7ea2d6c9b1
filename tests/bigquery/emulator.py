"""The BigQuery stand-in of the tests: started in its own environment, empty, and stopped again."""

import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.bigquery.compiling import ROOT

ENVIRONMENT = ROOT / ".venv-bqemulator"
HINT = "no .venv-bqemulator: make bigquery installs the BigQuery stand-in"
# it loads two extensions of DuckDB, which come as wheels and are put where DuckDB looks for them
EXTENSIONS = "from duckdb_extensions import import_extension; [import_extension(name) for name in ('spatial', 'avro')]"
STARTS_WITHIN = 300  # seconds; 3 on a machine that has nothing else to do


@dataclass(frozen=True)
class Emulator:
    """A stand-in that listens."""

    url: str


@contextmanager
def running(folder: Path, rest_port: int, grpc_port: int) -> Generator[Emulator]:
    """Give a stand-in; its log lies in the folder."""
    if not (ENVIRONMENT / "ready").exists():
        pytest.skip(HINT)
    environment = os.environ | {"HOME": str(folder)}
    subprocess.run([f"{ENVIRONMENT / 'bin' / 'python'}", "-c", EXTENSIONS], env=environment, check=True, capture_output=True)
    command = [
        f"{ENVIRONMENT / 'bin' / 'bqemulator'}",
        "start",
        "--ephemeral",
        "--rest-port",
        f"{rest_port}",
        "--grpc-port",
        f"{grpc_port}",
    ]
    with (folder / "emulator.log").open("w") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:
        try:
            yield listening(process, Emulator(f"http://127.0.0.1:{rest_port}"), folder / "emulator.log")
        finally:
            process.terminate()


def listening(process: subprocess.Popen, found: Emulator, log: Path) -> Emulator:
    """The stand-in as soon as it answers."""
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{found.url}/bigquery/v2/projects/p/datasets", timeout=5)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return found
    raise RuntimeError(f"the BigQuery stand-in does not answer: {log.read_text()[-2000:]}")

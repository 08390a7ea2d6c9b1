"""The simulator that the contestants read: a company in bad weather, served over HTTP by a thread of this process."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import uvicorn

from benchmarks.storm import Storm
from benchmarks.turmoil import Turmoil
from simulator import plant
from simulator.instants import parse
from simulator.options import Options
from simulator.server import application

LIST_LAG = 900  # seconds
_decode = msgspec.json.Decoder().decode


class Row(NamedTuple):
    """What two readings of one record must agree on."""

    updated: int | None
    title: str | None
    status: str | None
    priority: str | None
    labour: int


class SourceDied(Exception):
    """The server of the simulated API ended: nothing can be measured."""


class Plant:
    """One organisation of a simulated company, and what it holds."""

    def __init__(self, scale: float, seed: int, *, share: float, lag: int = LIST_LAG, is_stirred: bool = True) -> None:
        self.world = plant.build(seed, scale)
        self.organisation_id = self.world.organisations[0]
        self.token = f"demo-{self.organisation_id}"
        self.turmoil = Turmoil(self.world, self.organisation_id, seed)
        if is_stirred:
            self.turmoil.settle()
        self.storm = Storm(self.world, Options(list_lag_seconds=lag), seed=seed, share=share, clock=time.monotonic)
        self.url = ""

    @property
    def now(self) -> str:
        """Return the source's clock, ISO 8601."""
        return f"{self.world.instant:%Y-%m-%dT%H:%M:%S}.{self.world.now % 1000:03d}Z"

    def truth(self) -> dict[tuple[str, int], Row]:
        """Return what the source has, by table and id."""
        found = {}
        for table in ("work_orders", "assets"):
            for record_id, encoded in self.world.table(table, self.organisation_id).rows.encoded.items():
                found[table, record_id] = row_of(table, _decode(encoded))
        return found

    @contextmanager
    def served(self) -> Generator[None]:
        """Serve the API on a free port while the block runs."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = uvicorn.Config(application(self.storm), port=port, log_level="critical", date_header=False, server_header=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise SourceDied(f"no server on port {port}")
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{port}/v1"
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(10)


def row_of(table: str, record: dict) -> Row:
    """Return what is compared of a record of the source."""
    labour = sum(item["durationTotal"] for item in record.get("timeItems") or ())
    is_order = table == "work_orders"
    title = record.get("title" if is_order else "name")
    status = record.get("status") if is_order else None
    return Row(parse(record["updatedAt"]), title, status, record.get("priority"), labour)

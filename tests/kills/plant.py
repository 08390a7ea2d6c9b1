"""A small plant whose days can be told again: the world after each of its steps, served over HTTP, standing still."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn

from simulator import plant
from simulator.api import Simulator
from simulator.options import Options
from simulator.server import application
from simulator.world import World

ORGANISATION = 102  # a hundred orders, one site
TOKEN = f"demo-{ORGANISATION}"
SCALE = 0.005
ROWS_A_PAGE = 25


def a_day_passes(world: World) -> None:
    """Let a day go by: hours are logged in silence, orders and a vendor disappear, one order becomes unreadable."""
    world.advance(timedelta(days=1))
    orders = ids(world, "work_orders")
    for number, order in enumerate(orders[10:40:3]):
        world.change("work_orders", ORGANISATION, order, title=f"changed {number}")
    world.whisper("work_orders", ORGANISATION, orders[4], timeItems=[{"id": 1, "type": "WORK", "userId": 1, "durationTotal": 5400}])
    world.change("work_orders", ORGANISATION, orders[5], description=7)
    for order in (orders[0], orders[-1]):
        world.delete("work_orders", ORGANISATION, order)
    world.delete("vendors", ORGANISATION, ids(world, "vendors")[2])


def an_hour_passes(world: World) -> None:
    """Let an hour go by: the unreadable order is readable again, a deleted one is back, a category disappears."""
    lost = min(world.table("work_orders", ORGANISATION).deleted)
    world.advance(timedelta(hours=1))
    orders = ids(world, "work_orders")
    world.change("work_orders", ORGANISATION, orders[4], description="readable again")
    world.restore("work_orders", ORGANISATION, lost, updatedAt=f"{world.instant:%Y-%m-%dT%H:%M:%S}.000Z")
    for number, order in enumerate(orders[20:50:3]):
        world.change("work_orders", ORGANISATION, order, title=f"changed again {number}")
    world.delete("categories", ORGANISATION, ids(world, "categories")[-1])


STEPS: dict[str, Callable[[World], None]] = {"first load": lambda _: None, "a day later": a_day_passes, "an hour later": an_hour_passes}


def world_after(step: str) -> World:
    """Return the world as it stands after a step and those before it."""
    world = plant.build(seed=7, scale=SCALE)
    for name, happen in STEPS.items():
        happen(world)
        if name == step:
            return world
    raise KeyError(step)


def ids(world: World, table: str) -> list[int]:
    """Return the ids of the records of a table, ascending."""
    return sorted(world.table(table, ORGANISATION).rows.encoded)


class SmallPages(Simulator):
    """A MaintainX that gives few rows a page, as if there were many."""

    def respond(self, method, path, query=(), headers=None, body=b""):
        capped = [(name, str(min(int(value), ROWS_A_PAGE)) if name == "limit" else value) for name, value in query]
        return super().respond(method, path, capped, headers, body)


@contextmanager
def served(world: World) -> Generator[str]:
    """Give the address, with /v1, of a world that is served by a thread while the block runs."""
    web = application(SmallPages(world, Options(rate_limit=10**6, organisation_rate_limit=10**6)))
    config = uvicorn.Config(
        web, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none", date_header=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join()

"""A small simulated company, and what asks it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from simulator import plant
from simulator.api import Simulator
from simulator.options import Options
from simulator.world import World
from tests.simulator.asking import Client

SMALL = 0.03  # about 600 work orders, built in a twentieth of a second


@pytest.fixture(scope="session")
def standing_world() -> World:
    """A world that no test may change."""
    return plant.build(scale=0.1)


@pytest.fixture(scope="session")
def full_world() -> World:
    """The company of the demo at its full size, which no test may change."""
    return plant.build()


@pytest.fixture
def client(standing_world: World) -> Client:
    """A client of organisation 101 of a world that no test may change."""
    return Client(Simulator(standing_world))


@pytest.fixture
def world() -> World:
    """A world of the test's own."""
    return plant.build(scale=SMALL)


@pytest.fixture
def simulator(world: World) -> Simulator:
    """A simulator of the test's own."""
    return Simulator(world)


@pytest.fixture
def mine(simulator: Simulator) -> Client:
    """A client of organisation 101 of a world of the test's own."""
    return Client(simulator)


@pytest.fixture
def switched(standing_world: World) -> Callable[..., Client]:
    """Return what makes a client of a simulator with other switches over the standing world."""

    def build(user: str = "demo-101", clock: Callable[[], float] | None = None, **switches: Any) -> Client:
        make = partial(Simulator, standing_world, Options(**switches))
        return Client(make(clock=clock) if clock else make(), user)

    return build

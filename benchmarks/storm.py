"""A simulator in bad weather: each request takes its time, and one in a hundred goes wrong, by seed."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from simulator.api import Response, Simulator
from simulator.options import Options
from simulator.queries import Parameters
from simulator.world import World

LATENCY = 1_500  # milliseconds of the world's clock: what sorted pages of the real API were seen to take
_MISHAPS = {"429": 25, "500": 15, "502": 15, "503": 10, "truncated": 10, "cut": 15, "expired_cursor": 10}
_CLOSED_SECONDS = 1  # a 429 closes the door for so long, whoever knocks
_UNAVAILABLE = {"status": 503, "body": "<html>Service Unavailable</html>"}


class Storm(Simulator):
    """Answers requests from a world that moves on while it is read.

    Args:
        world: the records; its clock moves with each request.
        options: how it behaves where the documentation is silent.
        seed: of the mishaps.
        share: of the requests that go wrong.
        clock: seconds; how long a refused client has to wait is measured by it.
    """

    def __init__(self, world: World, options: Options, *, seed: int, share: float, clock: Callable[[], float]) -> None:
        super().__init__(world, options, clock=clock)
        self.seed, self.share, self._seconds = seed, share, clock
        self.traffic: Counter[str] = Counter()
        self.patches: dict[str, dict[str, Any]] = {}  # id of a work order → fields that its list shows instead
        self._closed_until = 0.0
        self._turn = threading.Lock()
        self.begin("")

    def begin(self, reading: str) -> None:
        """Start a reading: the mishaps of its n-th request are the same whoever reads."""
        self._rng = Random(f"storm {self.seed} {reading}")  # noqa: S311  repeatable, not secret

    def wait_until(self, instant: int) -> None:
        """Let the world move on to an instant (milliseconds since 1970) between two requests."""
        with self._turn:
            self.world.run_until(instant)

    def respond(
        self, method: str, path: str, query: Parameters = (), headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Return the answer to one request, or what the weather makes of it."""
        with self._turn:
            self.world.run_until(self.world.now + LATENCY)
            if self.patches:
                self.faults.add("patch", times=None, path="/workorders", details={"rows": self.patches})
            action = self._mishap(any(name == "cursor" for name, _ in query))
            if action == "429":
                self.faults.add("429", details={"seconds": max(1, round(self._closed_until - self._seconds()))})
            elif action == "503":
                self.faults.add("respond", details=_UNAVAILABLE)
            elif action:
                self.faults.add(action)
            response = super().respond(method, path, query, headers, body)
            self.faults.faults.clear()
            self.traffic.update(["requests", str(response.status), *([action] if action in {"truncated", "cut"} else [])])
            return response

    def _mishap(self, has_cursor: bool) -> str | None:
        is_struck, drawn = self._rng.random() < self.share, self._rng.choices(list(_MISHAPS), list(_MISHAPS.values()))[0]
        if self._seconds() < self._closed_until:
            return "429"
        if not is_struck:
            return None
        if drawn == "429":
            self._closed_until = self._seconds() + _CLOSED_SECONDS
        return "500" if drawn == "expired_cursor" and not has_cursor else drawn

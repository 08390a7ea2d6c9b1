"""How close pacing comes to what the rate limit allows, on a clock that passes only when everybody waits: minutes take no time."""

import heapq
import threading
from dataclasses import dataclass
from itertools import count
from math import ceil, floor
from typing import Any

from dagster_project.maintainx.pacing import Budget

WINDOW = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Paced:
    """One walk of so many requests."""

    limit: int  # requests a minute
    share: float  # of it that we take
    latency: float  # seconds until an answer
    requests: int
    seconds: float
    floor_seconds: float  # the least that the share of the limit allows
    refused: int  # answers with 429

    @property
    def ratio(self) -> float:
        """Return how many times the least time it took."""
        return self.seconds / self.floor_seconds


class Clock:
    """Seconds that pass only when every worker sleeps; who waits for another's answer counts as asleep."""

    def __init__(self, workers: int) -> None:
        self.now, self._awake = 0.0, workers
        self._lock, self._order = threading.Lock(), count()
        self._sleepers: list[tuple[float, int, threading.Event]] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed."""
        woken = threading.Event()
        with self._lock:
            heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        self.rest()
        woken.wait()

    def rest(self) -> None:
        """Count this worker as asleep."""
        with self._lock:
            self._awake -= 1
            if not self._awake and self._sleepers:
                self.now, _, woken = heapq.heappop(self._sleepers)
                self._awake += 1
                woken.set()

    def wake(self, workers: int) -> None:
        """Count workers as awake again."""
        with self._lock:
            self._awake += workers


class Turn(threading.Condition):
    """The budget's own condition; who waits at it rests by the clock, and is awake from the moment he is called."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock, self._waiting = clock, 0

    def wait(self, timeout: float | None = None) -> bool:
        """Wait to be called."""
        self._waiting += 1
        self._clock.rest()
        return super().wait(timeout)

    def notify_all(self) -> None:
        """Call all who wait."""
        self._clock.wake(self._waiting)
        self._waiting = 0
        super().notify_all()


class Limiter:
    """MaintainX's side: fixed windows of a minute."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self.clock, self.limit, self.refused = clock, limit, 0
        self._sent: dict[int, int] = {}
        self._lock = threading.Lock()

    def answer(self) -> dict[str, str]:
        """Count a request and return the headers of its answer."""
        with self._lock:
            window = floor(self.clock.now / WINDOW)
            sent = self._sent[window] = self._sent.get(window, 0) + 1
            self.refused += sent > self.limit
            told = {"limit": self.limit, "remaining": max(0, self.limit - sent), "reset": ceil((window + 1) * WINDOW - self.clock.now)}
            return {f"x-rate-limit-{name}": str(value) for name, value in told.items()}


def paced(limit: int, share: float, latency: float, requests: int, workers: int = 4) -> Paced:
    """Send so many requests by several workers as fast as the budget lets them, and return how long that took."""
    clock = Clock(workers)
    budget: Any = Budget(share, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)
    budget._changed = Turn(clock)
    limiter, numbers = Limiter(clock, limit), iter(range(requests))
    ended = [0.0] * workers

    def work(worker: int) -> None:
        while next(numbers, None) is not None:
            with budget.permit() as permit:
                clock.sleep(latency / 2)
                headers = limiter.answer()
                clock.sleep(latency / 2)
                permit.observe(headers)
            ended[worker] = clock.now
        clock.rest()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Paced(limit, share, latency, requests, max(ended), least_seconds(limit, share, latency, requests), limiter.refused)


def least_seconds(limit: int, share: float, latency: float, requests: int) -> float:
    """Return the least time: whole windows but the last, in which the rest goes out at once, and the last answer's way."""
    each = max(1, floor(limit * share))
    return (ceil(requests / each) - 1) * WINDOW + latency

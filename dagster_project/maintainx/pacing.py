"""One rate budget per MaintainX user, which obeys what the X-Rate-Limit headers say."""

import math
import random
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

LONGEST_WAIT = 120.0  # seconds; the documented window is 60, anything above this is a broken header
DOCUMENTED_WINDOW = 60.0  # seconds; only for a Reset that cannot be read
MARGIN = 1.0  # seconds; Reset is a whole number and may have been rounded down

OnWait = Callable[[float, str], None]


def silent(_seconds: float, _why: str) -> None:
    """Say nothing about a wait."""


def number(text: str | None) -> float | None:
    """Return a header's number, at least 0; None when it is missing or no finite number."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one request now; tells the budget what came back."""

    budget: "Budget"
    generation: int

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from the rate-limit headers of the response."""
        self.budget._observe(self, headers)

    def refused(self, seconds: float) -> None:
        """Keep everyone from sending for so many seconds: the answer was a 429."""
        self.budget._close(seconds)


class Budget:
    """How many requests may still be sent in the present window, over all threads that share it.

    Share one object between all clients of one MaintainX user: his limit counts over all his organisations.
    It holds no limit of its own. Until a response has told the limit, and again when a new window begins,
    requests go one at a time; then up to `share` of the announced limit per window, counting what others
    of the same user have used; then it waits for the end of the window. Others of the same user are left
    the rest, and one request a window goes through however much they take.
    """

    def __init__(
        self,
        share: float = 0.8,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        on_wait: OnWait = silent,
    ) -> None:
        """Take the share of the announced limit to keep to (above 0, at most 1), a monotonic clock and its sleep."""
        if not 0 < share <= 1:
            raise ValueError(f"the share of the rate limit must be above 0 and at most 1, not {share}: check RATE_SHARE")
        self._share, self._clock, self._sleep, self._jitter, self._on_wait = share, clock, sleep, jitter, on_wait
        self._changed = threading.Condition()  # its lock is re-entrant
        self._limit: float | None = None  # as announced last
        self._left: float | None = None  # of the limit in this window, at most; None: not announced
        self._sent = 0  # in this window, by us
        self._in_flight = 0
        self._ends_at = math.inf
        self._closed_until = -math.inf
        self._said_until = -math.inf
        self._generation = 0  # of the window as we know it; an answer to an earlier one tells nothing of this one
        self._is_known = False
        self._is_probing = False

    @property
    def announced_limit(self) -> float | None:
        """Return how many requests a window allows, as announced last; None before."""
        return self._limit

    @contextmanager
    def permit(self, on_wait: OnWait | None = None) -> Generator[Permit]:
        """Wait until a request may be sent, and count it as under way until the block ends."""
        permit = self._acquire(on_wait or self._on_wait)
        try:
            yield permit
        finally:
            with self._changed:
                self._in_flight -= 1
                if permit.generation == self._generation:
                    self._is_probing = False
                self._changed.notify_all()

    def _acquire(self, on_wait: OnWait) -> Permit:
        while True:
            with self._changed:
                seconds, is_news = self._wait_needed()
                if not seconds and self._is_probing:
                    self._changed.wait()  # for the answer to the one request that is out asking
                    continue
                if not seconds:
                    return self._granted()
            if is_news:
                on_wait(seconds, "the rate limit of MaintainX")
            self._sleep(seconds)

    def _granted(self) -> Permit:
        self._is_probing = not self._is_known
        self._sent += 1
        self._in_flight += 1
        if self._left is not None:
            self._left -= 1
        return Permit(self, self._generation)

    def _wait_needed(self) -> tuple[float, bool]:
        """Return the seconds to wait before the next request, and whether nobody was told of this wait yet."""
        now = self._clock()
        if self._is_known and now >= self._ends_at + MARGIN:
            self._forget()
        elif self._is_known and self._is_used_up():
            self._close(self._ends_at - now)
        is_news = self._closed_until > now >= self._said_until
        if is_news:
            self._said_until = self._closed_until
        return max(0.0, self._closed_until - now), is_news

    def _is_used_up(self) -> bool:
        if self._limit is None:
            return False
        allowed = max(1, math.floor(self._limit * self._share))
        return self._sent >= allowed or (self._left is not None and self._left <= self._limit - allowed)

    def _close(self, seconds: float) -> None:
        """Let nobody send for so many seconds, and start anew after them."""
        with self._changed:
            wait = min(max(0.0, seconds) + MARGIN + self._jitter(), LONGEST_WAIT)
            self._closed_until = max(self._closed_until, self._clock() + wait)
            self._forget()

    def _forget(self) -> None:
        """Know nothing of the window that begins now: the next request asks."""
        self._generation += 1
        self._is_known = self._is_probing = False
        self._sent, self._left, self._ends_at = 0, None, math.inf
        self._changed.notify_all()

    def _observe(self, permit: Permit, headers: Mapping[str, str]) -> None:
        with self._changed:
            limit = number(headers.get("x-rate-limit-limit"))
            if permit.generation != self._generation:
                return
            if limit:
                self._learn(limit, number(headers.get("x-rate-limit-remaining")), number(headers.get("x-rate-limit-reset")))
            elif self._limit is None:
                self._is_known = True  # this MaintainX announces no limit: nothing to obey but its 429s
            self._changed.notify_all()

    def _learn(self, limit: float, remaining: float | None, reset: float | None) -> None:
        """Take the narrower of what was known of this window and what this answer says."""
        if self._limit is None or not self._is_known:
            self._ends_at = math.inf
            reset = DOCUMENTED_WINDOW if reset is None else reset
        self._limit, self._is_known, self._is_probing = limit, True, False
        if reset is not None:
            self._ends_at = min(self._ends_at, self._clock() + min(reset, LONGEST_WAIT))
        if remaining is not None:
            # those still under way may not be in the server's count yet
            left = min(remaining, limit) - (self._in_flight - 1)
            self._left = left if self._left is None else min(self._left, left)

"""The rate limit: fixed windows of 60 seconds per user and per organisation, on a clock that tests can turn."""

from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60


@dataclass(slots=True)
class Verdict:
    """Whether a request may pass, and what the headers say about its window."""

    is_allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the X-Rate-Limit headers; the reset is in seconds to the end of the window, not an instant."""
        return {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(self.remaining),
            "X-Rate-Limit-Reset": str(self.reset_seconds),
        }


class Limiter:
    """Counts requests in three windows: a user over all organisations, a user in one, an organisation over all users."""

    def __init__(self, per_user: int, per_organisation: int, clock: Callable[[], float]) -> None:
        self.per_user = per_user
        self.per_organisation = per_organisation
        self.clock = clock
        self._window = -1
        self._used: dict[tuple[str, ...], int] = {}

    def take(self, user: str, organisation_id: int | None) -> Verdict:
        """Count one request of a user and return the verdict of the tightest window; a refused one is not counted."""
        now = self.clock()
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window, self._used = window, {}
        caps: dict[tuple[str, ...], int] = {("user", user): self.per_user}
        if organisation_id is not None:
            caps |= {("user", user, str(organisation_id)): self.per_user, ("organisation", str(organisation_id)): self.per_organisation}
        reset = max(1, round((window + 1) * WINDOW_SECONDS - now))
        tightest = min(caps, key=lambda key: caps[key] - self._used.get(key, 0))
        if self._used.get(tightest, 0) >= caps[tightest]:
            return Verdict(False, caps[tightest], 0, reset)
        for key in caps:
            self._used[key] = self._used.get(key, 0) + 1
        return Verdict(True, caps[tightest], caps[tightest] - self._used[tightest], reset)

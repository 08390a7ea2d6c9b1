"""Faults on demand: a script of what goes wrong, at which request."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

ACTIONS = {
    "429": "refused with Retry headers of the rate limit",
    "500": "internal server error",
    "502": "bad gateway, as HTML",
    "timeout": "no answer for `seconds` (default 3600)",
    "truncated": "200 with the second half of the JSON missing",
    "cut": "the connection closes in the middle of the body",
    "slow": "the answer comes after `seconds` (default 2)",
    "mutate": "the world moves on by `advance` ({days, hours, minutes}) and takes the `changes` before the answer",
    "expired_cursor": "400 for a request that carries a cursor",
    "forbidden": "403",
    "not_found": "404",
    "unauthorized": "401",
    "clock_skew": "the Date header is off by `seconds`",
    "lag": "the list shows the state of `seconds` ago",
    "empty": "200 with an empty list and no cursor",
    "repeated_cursor": "the next cursor is the one that was sent",
    "patch": "rows whose id is in `rows` get other values: {id, or * for all: {field: value}}",
    "respond": "the answer has `status` and `body`, as they stand, and these `headers` (null takes one away)",
}


class BadScript(ValueError):
    """The fault script cannot be read: it says which entry, and why."""


@dataclass(slots=True)
class Request:
    """What a fault can be matched by."""

    path: str  # below /v1
    organisation_id: int | None
    page: int  # of its walk, from 1
    has_cursor: bool


@dataclass(slots=True)
class Fault:
    """One entry of the script."""

    action: str
    match: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = 1  # None: for ever
    details: Mapping[str, Any] = field(default_factory=dict)
    callback: Callable[[], None] | None = None  # of a mutate in process
    seen: int = 0
    used: int = 0

    def meets(self, request: Request) -> bool:
        """Tell whether the fault strikes this request, and count it."""
        if not self._fits(request):
            return False
        self.seen += 1
        nth = self.match.get("nth")
        if nth is not None and not nth <= self.seen < nth + (self.times or self.seen + 1):
            return False
        if self.times is not None and self.used >= self.times:
            return False
        self.used += 1
        return True

    def _fits(self, request: Request) -> bool:
        path = self.match.get("path")
        if path is not None and path.strip("/") not in {request.path, request.path.split("/")[0] + "/*"}:
            return False
        if self.match.get("organisation") not in {None, request.organisation_id}:
            return False
        if self.action == "expired_cursor" and not request.has_cursor:
            return False
        return self.match.get("page") in {None, request.page}

    @property
    def pause(self) -> timedelta:
        """How far a mutation moves the clock."""
        return timedelta(**self.details.get("advance", {}))


class Script:
    """The faults that are set, and how many struck."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.struck: Counter[str] = Counter()

    def load(self, entries: Any) -> None:
        """Add faults.

        Args:
            entries: [{"match": {"path", "nth", "page", "organisation"}, "action": one of ACTIONS, "times": 1 or null, …details}].
                `nth` and `page` count from 1, `nth` among the requests that match since the fault was set.

        Raises:
            BadScript: an entry is not of that form.
        """
        if not isinstance(entries, list):
            raise BadScript("the fault script is not a list")
        self.faults += [_read(number, entry) for number, entry in enumerate(entries)]

    def add(
        self, action: str, *, callback: Callable[[], None] | None = None, times: int | None = 1, details: Any = None, **match: Any
    ) -> None:
        """Add one fault from Python; `match` as in load, `callback` is what a mutate does."""
        self.faults.append(Fault(action, match, times, details or {}, callback))

    def clear(self) -> None:
        """Forget all faults."""
        self.faults.clear()
        self.struck.clear()

    def strike(self, request: Request) -> list[Fault]:
        """Return the faults that strike this request, in the order of the script."""
        found = [fault for fault in self.faults if fault.meets(request)]
        self.struck.update(fault.action for fault in found)
        return found


def _read(number: int, entry: Any) -> Fault:
    if not isinstance(entry, dict):
        raise BadScript(f"fault {number} is not an object")
    action = str(entry.get("action"))
    if action not in ACTIONS:
        raise BadScript(f"fault {number}: action {action!r} is none of {', '.join(ACTIONS)}")
    match = entry.get("match", {})
    if unknown := set(match) - {"path", "nth", "page", "organisation"}:
        raise BadScript(f"fault {number}: cannot match by {', '.join(sorted(unknown))}")
    details = {key: value for key, value in entry.items() if key not in {"action", "match", "times"}}
    return Fault(action, match, entry.get("times", 1), details)

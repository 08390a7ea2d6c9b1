"""What a fault does to a request, before it is answered and after."""

from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime

import msgspec

from simulator.faults import Fault
from simulator.paging import invalid_cursor
from simulator.problems import Refused, forbidden, not_found, too_many_requests, unauthorized
from simulator.responses import Response
from simulator.world import World

_encode = msgspec.json.Encoder().encode


def before(fault: Fault, world: World, response: Response) -> None:
    """Refuse the request, or change the world, if that is what the fault does."""
    match fault.action:
        case "429":
            reset = int(fault.details.get("seconds", 1))
            response.headers |= {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(reset)}
            raise too_many_requests(reset)
        case "500":
            raise Refused(500, {"error": "Internal server error."})
        case "mutate":
            _mutate(fault, world)
        case action if action in _REFUSALS:
            raise _REFUSALS[action]()


def after(fault: Fault, world: World, cursor: str | None, response: Response) -> None:
    """Spoil or delay the answer, if that is what the fault does."""
    details = fault.details
    match fault.action:
        case "502":
            response.status, response.body = 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            response.headers["Content-Type"] = "text/html"
        case "timeout":
            response.delay_seconds = details.get("seconds", 3600)
        case "slow":
            response.delay_seconds = details.get("seconds", 2)
        case "truncated":
            response.body = response.body[: len(response.body) // 2]
        case "cut":
            response.cut_at = len(response.body) // 2
        case "clock_skew":
            response.headers["Date"] = date_header(world, details.get("seconds", 3600))
        case "respond":
            body = details.get("body", "")
            response.status = details.get("status", 200)
            response.body = body.encode() if isinstance(body, str) else _encode(body)
            _rewrite_headers(response, details.get("headers", {}))
        case "empty" | "repeated_cursor" | "patch":
            response.body = _rewritten(fault, cursor, response.body)


def _rewrite_headers(response: Response, headers: Mapping[str, str | None]) -> None:
    for name, value in headers.items():
        response.headers.pop(name, None)
        if value is not None:
            response.headers[name] = value


def date_header(world: World, skew_seconds: float = 0) -> str:
    """Return the world's clock as a Date header."""
    return format_datetime(world.instant + timedelta(seconds=skew_seconds), usegmt=True)


_REFUSALS = {"forbidden": forbidden, "not_found": not_found, "unauthorized": unauthorized, "expired_cursor": invalid_cursor}


def _mutate(fault: Fault, world: World) -> None:
    if fault.callback is not None:
        fault.callback()
    if fault.pause:
        world.advance(fault.pause)
    for change in fault.details.get("changes", []):
        place = change["table"], change["organisation"], change["id"]
        if change.get("delete"):
            world.delete(*place)
        elif change.get("silent"):
            world.whisper(*place, **change["fields"])
        else:
            world.change(*place, **change["fields"])


def _rewritten(fault: Fault, cursor: str | None, body: bytes) -> bytes:
    page = msgspec.json.decode(body)
    key = next(iter(page))
    if fault.action == "empty":
        page |= {key: [], "nextCursor": None, "nextPageUrl": None}
    elif fault.action == "repeated_cursor":
        page["nextCursor"] = cursor or page["nextCursor"]
    else:
        changes = fault.details.get("rows", {})
        page[key] = [row | changes.get("*", {}) | changes.get(str(row["id"]), {}) for row in page[key]]
    return _encode(page)

"""The simulator over HTTP: the API below /v1, and the controls below /_simulator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import msgspec
from starlette import requests, responses
from starlette.applications import Starlette
from starlette.routing import Route

from simulator.api import Simulator
from simulator.faults import BadScript
from simulator.responses import Response
from simulator.world import TABLES

_SPANS = ("days", "hours", "minutes")


def application(simulator: Simulator, on_advance: Callable[[], None] = lambda: None) -> Starlette:
    """Return the web application around a simulator; `on_advance` is called after each advance of the clock, to save it."""
    control = _Control(simulator, on_advance)
    return Starlette(
        routes=[
            Route("/_simulator/state", control.state, methods=["GET"]),
            Route("/_simulator/advance", control.advance, methods=["POST"]),
            Route("/_simulator/faults", control.faults, methods=["POST", "DELETE"]),
            Route("/_simulator/requests", control.requests, methods=["GET"]),
            Route("/_simulator/versions/{table}", control.versions, methods=["GET"]),
            Route("/v1/{path:path}", control.api, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
        ]
    )


class _Control:
    def __init__(self, simulator: Simulator, on_advance: Callable[[], None]) -> None:
        self.simulator = simulator
        self.on_advance = on_advance

    async def api(self, request: requests.Request) -> responses.Response:
        query = request.query_params.multi_items()
        answer = self.simulator.respond(request.method, request.url.path, query, request.headers, await request.body())
        if answer.delay_seconds:
            await asyncio.sleep(answer.delay_seconds)
        if answer.cut_at is not None:
            return _cut(answer)
        return responses.Response(answer.body, answer.status, answer.headers)

    async def state(self, _: requests.Request) -> responses.Response:
        return _json(state(self.simulator))

    async def advance(self, request: requests.Request) -> responses.Response:
        try:
            span = _span(await request.body())
        except (msgspec.DecodeError, ValueError, TypeError, OverflowError) as error:
            return _json({"error": str(error)}, 400)
        changes = self.simulator.advance(span)
        self.on_advance()
        return _json({"now": _text(self.simulator), "changes": dict(sorted(changes.items()))})

    async def faults(self, request: requests.Request) -> responses.Response:
        if request.method == "DELETE":
            self.simulator.faults.clear()
        else:
            try:
                self.simulator.faults.load(msgspec.json.decode(await request.body()))
            except (msgspec.DecodeError, BadScript) as error:
                return _json({"error": str(error)}, 400)
        return _json({"faults": len(self.simulator.faults.faults), "struck": dict(self.simulator.faults.struck)})

    async def versions(self, request: requests.Request) -> responses.Response:
        table = request.path_params["table"]
        if table not in TABLES or not self.simulator.world.keeps_versions:
            return _json({"error": f"there is no history of {table!r}"}, 404)
        lines = (msgspec.json.encode(version) + b"\n" for version in self.simulator.world.versions(table))
        return responses.StreamingResponse(lines, media_type="application/x-ndjson")

    async def requests(self, _: requests.Request) -> responses.Response:
        statuses = {str(status): count for status, count in sorted(self.simulator.statuses.items())}
        return _json({"paths": dict(sorted(self.simulator.requests.items())), "statuses": statuses})


def state(simulator: Simulator) -> dict[str, Any]:
    """Return the clock, the world and how much is in it."""
    world = simulator.world
    return {
        "now": _text(simulator), "seed": world.seed, "scale": world.scale, "organisations": world.organisations, "counts": world.counts(),
        "requests": simulator.requests.total(),
    }  # fmt: skip


def _span(body: bytes) -> timedelta:
    given = msgspec.json.decode(body or b"{}")
    if not isinstance(given, dict) or set(given) - set(_SPANS):
        raise ValueError(f"expected an object of {', '.join(_SPANS)}")
    span = timedelta(**given)
    if span < timedelta(0):
        raise ValueError("the clock only goes forward")
    return span


def _text(simulator: Simulator) -> str:
    return simulator.world.instant.isoformat().replace("+00:00", "Z")


def _json(content: Any, status: int = 200) -> responses.Response:
    return responses.Response(msgspec.json.encode(content), status, media_type="application/json")


def _cut(answer: Response) -> responses.Response:
    """Announce the whole length, send a part, then let the connection fall."""

    async def part() -> AsyncIterator[bytes]:
        yield answer.body[: answer.cut_at]
        raise ConnectionAbortedError("cut on demand")

    return responses.StreamingResponse(part(), answer.status, answer.headers | {"Content-Length": str(len(answer.body))})

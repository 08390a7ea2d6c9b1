"""The simulated MaintainX REST API without sockets: a request in, a response out."""

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from simulator import access, catalogue, mishaps, queries
from simulator.catalogue import Collection
from simulator.faults import Request, Script
from simulator.limits import Limiter
from simulator.lists import Lists
from simulator.mishaps import date_header
from simulator.options import Options
from simulator.problems import Refused, bad_value, not_found, too_many_requests
from simulator.queries import Parameters
from simulator.responses import Response
from simulator.shapes import Shapes
from simulator.world import World

__all__ = ["Response", "Simulator", "document"]

_encode = msgspec.json.Encoder().encode
_LOGGED = 10_000  # requests
_JSON = "application/json; charset=utf-8"


@cache
def document() -> bytes:
    """Return the OpenAPI document of the paths that are served."""
    return (Path(__file__).parent / "openapi.json").read_bytes()


class Simulator:
    """Answers requests from a world.

    Args:
        world: the records, and the clock of the Date header.
        options: how it behaves where the documentation is silent.
        tokens: who may read what; default: those of the demo, or of a recorded world.
        clock: seconds of the rate limit's windows.
    """

    def __init__(
        self,
        world: World,
        options: Options | None = None,
        tokens: Mapping[str, access.Token] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.world = world
        self.options = options or Options()
        self.tokens = tokens or access.tokens_of(world.organisations)
        self.faults = Script()
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.log: deque[tuple[str, tuple[tuple[str, str], ...], int]] = deque(maxlen=_LOGGED)  # path, query and status of the latest
        self._lock = threading.Lock()  # clients in process may ask from several threads
        per_organisation = self.options.organisation_rate_limit or 5 * self.options.rate_limit
        self._limiter = Limiter(self.options.rate_limit, per_organisation, clock)
        self._shapes = {each: Shapes(world, each) for each in world.organisations}
        self._pages: dict[tuple[str, ...], int] = defaultdict(int)
        self._lists = Lists(world, self.options, self._shapes)

    def respond(
        self, method: str, path: str, query: Parameters = (), headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Return the answer to one request.

        Args:
            method: only GET is served.
            path: with /v1, without the query.
            query: decoded pairs, in order.
            headers: names in any case.
            body: of the request; nothing that is served reads it.
        """
        with self._lock:
            return self._respond(method, path, list(query), {name.lower(): value for name, value in (headers or {}).items()})

    def advance(self, span: timedelta) -> Counter[str]:
        """Move the world's clock on and return the counts of changes by kind."""
        with self._lock:
            return self.world.advance(span)

    def _respond(self, method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str]) -> Response:
        below = path.removeprefix("/v1/").strip("/")
        response = Response(200, {"Content-Type": _JSON, "Date": date_header(self.world)})
        try:
            self._answer(method, below, query, headers, response)
        except Refused as refusal:
            response.status = refusal.status
            response.headers.update(refusal.headers)
            response.body = b"" if refusal.body is None else _encode(refusal.body)
        self.requests[below] += 1
        self.statuses[response.status] += 1
        self.log.append((below, tuple(query), response.status))
        return response

    def _answer(self, method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str], response: Response) -> None:
        if path == "openapi.json":
            response.body = document()
            return
        token = access.token_of(self.tokens, headers)
        organisations = self._organisations(token, path, headers)
        verdict = self._limiter.take(token.user, organisations[0] if len(organisations) == 1 else None)
        response.headers |= verdict.headers()
        if not verdict.is_allowed:
            raise too_many_requests(verdict.reset_seconds)
        request = self._describe(path, organisations, query)
        faults = self.faults.strike(request)
        for fault in faults:
            mishaps.before(fault, self.world, response)
        lag = max([self.options.list_lag_seconds, *(fault.details.get("seconds", 7200) for fault in faults if fault.action == "lag")])
        if method != "GET":
            raise not_found()
        response.body = self._read(path, query, organisations, lag)
        for fault in faults:
            mishaps.after(fault, self.world, dict(query).get("cursor"), response)

    def _organisations(self, token: access.Token, path: str, headers: Mapping[str, str]) -> list[int]:
        if path == "organizations":
            return list(token.organisations)
        collection = catalogue.BY_PATH.get(path)
        takes_several = collection is not None and collection.takes_organisation_ids
        return access.organisations_of(token, headers, takes_several=takes_several, options=self.options)

    def _describe(self, path: str, organisations: list[int], query: list[tuple[str, str]]) -> Request:
        has_cursor = any(name == "cursor" for name, _ in query)
        walk = (path, str(organisations), *(f"{name}={value}" for name, value in query if name != "cursor"))
        self._pages[walk] = self._pages[walk] + 1 if has_cursor else 1
        return Request(path, organisations[0] if len(organisations) == 1 else None, self._pages[walk], has_cursor)

    def _read(self, path: str, query: list[tuple[str, str]], organisations: list[int], lag: int) -> bytes:
        parts = path.split("/")
        collection = catalogue.BY_PATH.get(parts[0])
        if collection is None:
            raise not_found()
        if len(parts) == 1:
            return self._lists.page(collection, query, organisations, lag)
        if len(parts) == 3 and parts[0] == "teams" and parts[2] == "members":
            return self._lists.members(_id(parts[1]), query, organisations)
        if len(parts) > 2 or collection.item is None:
            raise not_found()
        return _encode({collection.item: self._single(collection, parts[1], query, organisations)})

    def _single(self, collection: Collection, text: str, parameters: list[tuple[str, str]], organisations: list[int]) -> Any:
        expands, by_number = frozenset[str](), False
        for name, value in parameters:
            if name == "expand" and collection.item_expands:
                expands |= queries.read_expands([value], collection.item_expands)
            elif name == "useSequentialId" and collection.table == "work_orders":
                by_number = queries.flag(name, value)
            else:
                raise bad_value(f"'{name}' is not a valid query parameter")
        number = _id(text)
        for each in organisations:
            found = self._find(collection, each, self._by_number(each, number) if by_number else number)
            if found is not None:
                return self._shapes[each].single(collection, found, expands)
        raise not_found()

    def _by_number(self, organisation_id: int, number: int) -> int | None:
        needle = f'"sequentialId":{number},'.encode()
        rows = self.world.table("work_orders", organisation_id).rows.encoded
        return next((record_id for record_id, encoded in rows.items() if needle in encoded), None)

    def _find(self, collection: Collection, organisation_id: int, record_id: int | None) -> Any:
        table = self.world.table(collection.table, organisation_id)
        if record_id is None:
            return None
        record = table.get(record_id)
        if record is not None:
            return dict(record)
        if record_id not in table.deleted:
            return None
        last = msgspec.json.decode(table.deleted[record_id])
        if collection.table == "users":
            return last | {"removedFromOrganization": True}
        return last | {"deletedAt": last.get("updatedAt")} if self.options.deleted_get == "deleted_at" else None


def _id(text: str) -> int:
    if not text.isdigit():
        raise bad_value(f"'{text}' is not a valid integer")
    return int(text)

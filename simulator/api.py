"""The simulated MaintainX REST API without sockets: a request in, a response out."""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from simulator import access, catalogue, paging, queries
from simulator.catalogue import Collection
from simulator.faults import Fault, Request, Script
from simulator.instants import iso
from simulator.limits import Limiter
from simulator.matching import Matches, check_custom_fields
from simulator.options import Options
from simulator.problems import Refused, bad_value, forbidden, not_found, too_many_requests, unauthorized
from simulator.queries import Parameters
from simulator.rows import Rows, id_of
from simulator.shapes import Shapes
from simulator.world import World

_encode = msgspec.json.Encoder().encode
_JSON = "application/json; charset=utf-8"


@dataclass(slots=True)
class Response:
    """The answer to one request; a shell over HTTP waits for `delay_seconds` first, and sends `cut_at` bytes at most."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_seconds: float = 0.0
    cut_at: int | None = None


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
        per_organisation = self.options.organisation_rate_limit or 5 * self.options.rate_limit
        self._limiter = Limiter(self.options.rate_limit, per_organisation, clock)
        self._matches = Matches()
        self._shapes = {each: Shapes(world, each) for each in world.organisations}
        self._pages: dict[tuple[str, ...], int] = defaultdict(int)
        self._lagged: tuple[Any, Rows] | None = None

    def respond(self, method: str, path: str, query: Parameters = (), headers: Mapping[str, str] | None = None, body: bytes = b"") -> Response:  # noqa: ARG002
        """Return the answer to one request.

        Args:
            path: with /v1, without the query.
            query: decoded pairs, in order.
            headers: names in any case.
            body: of the request; nothing that is served reads it.
        """
        given = {name.lower(): value for name, value in (headers or {}).items()}
        below = path.removeprefix("/v1/").strip("/")
        response = Response(200, {"Content-Type": _JSON, "Date": self._date(0)})
        try:
            self._answer(method, below, list(query), given, response)
        except Refused as refusal:
            response.status = refusal.status
            response.headers.update(refusal.headers)
            response.body = b"" if refusal.body is None else _encode(refusal.body)
        self.requests[below] += 1
        self.statuses[response.status] += 1
        return response

    def advance(self, span: timedelta) -> Counter[str]:
        """Move the world's clock on and return the counts of changes by kind."""
        return self.world.advance(span)

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
            self._before(fault, response)
        lag = max([self.options.list_lag_seconds, *(fault.details.get("seconds", 7200) for fault in faults if fault.action == "lag")])
        if method != "GET":
            raise not_found()
        response.body = self._read(path, query, organisations, lag)
        for fault in faults:
            self._after(fault, query, response)

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
            return self._list(collection, query, organisations, lag)
        if len(parts) == 3 and parts[0] == "teams" and parts[2] == "members":
            return self._members(_id(parts[1]), query, organisations)
        if len(parts) > 2 or collection.item is None:
            raise not_found()
        return _encode({collection.item: self._single(collection, parts[1], query, organisations)})

    def _list(self, collection: Collection, parameters: list[tuple[str, str]], organisations: list[int], lag: int) -> bytes:
        query = queries.read(collection, parameters, self.options)
        if _is_trap(query):
            return _envelope(collection, [], None, parameters)
        rows = {each: self._rows(collection, each, lag) for each in organisations}
        if self.options.unknown_custom_field == "error":
            check_custom_fields(rows.values(), query)
        if len(organisations) == 1:
            keys = self._keys(collection, organisations[0], rows[organisations[0]], query)
        else:
            keys = sorted(key for each in organisations for key in self._keys(collection, each, rows[each], query))
        page, cursor = paging.cut(keys, query, self.options, is_keyset=collection.is_keyset)
        shown = []
        for key in page:
            owner = next(each for each in organisations if id_of(key) in rows[each].encoded)
            shown.append(self._shapes[owner].row(collection, rows[owner].encoded[id_of(key)], query.expands))
        return _envelope(collection, shown, cursor, parameters)

    def _keys(self, collection: Collection, organisation_id: int, rows: Rows, query: queries.Query) -> list[int]:
        labels = {}
        if any(condition.kind == "labels" for _, condition, _ in query.conditions):
            categories = self.world.table("categories", organisation_id)
            labels = {number: (categories.get(number) or {}).get("label", "") for number in categories.rows.encoded}
        table = self.world.table(collection.table, organisation_id)
        return self._matches.keys(collection, table, rows, query, iso(self.world.now), labels)

    def _rows(self, collection: Collection, organisation_id: int, lag: int) -> Rows:
        """The rows that a list shows: those of the table, or, when lists lag, with late changes undone."""
        rows = self.world.table(collection.table, organisation_id).rows
        if not lag:
            return rows
        asked = (collection.table, organisation_id, rows.generation, self.world.now, lag)
        if self._lagged is None or self._lagged[0] != asked:
            self._lagged = asked, _lagging(self.world, collection.table, organisation_id, lag)
        return self._lagged[1]

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

    def _members(self, team_id: int, parameters: list[tuple[str, str]], organisations: list[int]) -> bytes:
        members_of = Collection("members", f"teams/{team_id}/members", "members", None)
        query = queries.read(members_of, parameters, self.options)
        team = next((found for each in organisations if (found := self.world.get("teams", each, team_id))), None)
        if team is None:
            raise not_found()
        by_id = {member["id"]: _encode(member) for member in team["members"]}
        page, cursor = paging.cut(sorted(by_id), query, self.options, is_keyset=False)
        return _envelope(members_of, [by_id[each] for each in page], cursor, parameters)

    def _before(self, fault: Fault, response: Response) -> None:
        match fault.action:
            case "429":
                reset = int(fault.details.get("seconds", 1))
                response.headers |= {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(reset)}
                raise too_many_requests(reset)
            case "500":
                raise Refused(500, {"error": "Internal server error."})
            case "forbidden":
                raise forbidden()
            case "not_found":
                raise not_found()
            case "unauthorized":
                raise unauthorized()
            case "expired_cursor":
                raise paging.invalid_cursor()
            case "mutate":
                self._mutate(fault)

    def _mutate(self, fault: Fault) -> None:
        if fault.callback is not None:
            fault.callback()
        if fault.pause:
            self.world.advance(fault.pause)
        for change in fault.details.get("changes", []):
            place = change["table"], change["organisation"], change["id"]
            if change.get("delete"):
                self.world.delete(*place)
            elif change.get("silent"):
                self.world.whisper(*place, **change["fields"])
            else:
                self.world.change(*place, **change["fields"])

    def _after(self, fault: Fault, query: list[tuple[str, str]], response: Response) -> None:
        match fault.action:
            case "502":
                response.status, response.body = 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>"
                response.headers["Content-Type"] = "text/html"
            case "timeout":
                response.delay_seconds = fault.details.get("seconds", 3600)
            case "slow":
                response.delay_seconds = fault.details.get("seconds", 2)
            case "truncated":
                response.body = response.body[: len(response.body) // 2]
            case "cut":
                response.cut_at = len(response.body) // 2
            case "clock_skew":
                response.headers["Date"] = self._date(fault.details.get("seconds", 3600))
            case "respond":
                body = fault.details.get("body", "")
                response.status = fault.details.get("status", 200)
                response.body = body.encode() if isinstance(body, str) else _encode(body)
            case "empty" | "repeated_cursor" | "patch":
                response.body = _rewritten(fault, dict(query).get("cursor"), response.body)

    def _date(self, skew_seconds: float) -> str:
        return format_datetime(self.world.instant + timedelta(seconds=skew_seconds), usegmt=True)


def _envelope(collection: Collection, rows: list[bytes], cursor: str | None, parameters: Parameters) -> bytes:
    following = None
    if cursor is not None:
        kept = [(name, value) for name, value in parameters if name != "cursor"]
        following = f"/v1/{collection.path}?{urlencode([*kept, ('cursor', cursor)], quote_via=quote)}"
    tail = _encode({"nextCursor": cursor, "nextPageUrl": following})
    return b'{"' + collection.items.encode() + b'":[' + b",".join(rows) + b"]," + tail[1:]


def _is_trap(query: queries.Query) -> bool:
    # cancelled and skipped are sub-statuses of done inside MaintainX; asked for together, they match nothing
    asked = {value for name, _, values in query.conditions if name == "statuses" for value in values}
    return {"CANCELED", "SKIPPED"} <= asked


def _lagging(world: World, table: str, organisation_id: int, lag: int) -> Rows:
    """Return the rows without those versions that a list does not show yet: each has a delay of its own, up to `lag` seconds."""
    shown = dict(world.table(table, organisation_id).rows.encoded)
    hidden: set[int] = set()
    for owner, record_id, at, _ in reversed(world.history(table)):
        if at <= world.now - lag * 1000:
            break
        delay = int.from_bytes(hashlib.blake2b(f"{record_id} {at}".encode(), digest_size=4).digest()) % (lag + 1)
        if owner == organisation_id and at + delay * 1000 > world.now:
            hidden.add(record_id)
    before: dict[int, bytes | None] = dict.fromkeys(hidden)
    for owner, record_id, at, encoded in world.history(table) if hidden else ():
        delay = int.from_bytes(hashlib.blake2b(f"{record_id} {at}".encode(), digest_size=4).digest()) % (lag + 1)
        if record_id in before and owner == organisation_id and at + delay * 1000 <= world.now:
            before[record_id] = encoded
    rows = Rows()
    rows.encoded = shown | {number: encoded for number, encoded in before.items() if encoded is not None}
    for number in hidden:
        if before[number] is None:
            rows.encoded.pop(number, None)
    return rows


def _rewritten(fault: Fault, cursor: str | None, body: bytes) -> bytes:
    page = msgspec.json.decode(body)
    key = next(iter(page))
    if fault.action == "empty":
        page |= {key: [], "nextCursor": None, "nextPageUrl": None}
    elif fault.action == "repeated_cursor":
        page["nextCursor"] = cursor or page["nextCursor"]
    else:
        changes = fault.details.get("rows", {})
        page[key] = [row | changes.get(str(row["id"]), {}) for row in page[key]]
    return _encode(page)


def _id(text: str) -> int:
    if not text.isdigit():
        raise bad_value(f"'{text}' is not a valid integer")
    return int(text)

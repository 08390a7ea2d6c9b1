"""The lists: filtered, sorted, paged, expanded, and at times behind what was written."""

import hashlib
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from simulator import paging, queries
from simulator.catalogue import Collection
from simulator.instants import SECOND, iso
from simulator.matching import Matches, Place, check_custom_fields
from simulator.options import Options
from simulator.problems import not_found
from simulator.queries import Parameters
from simulator.rows import Rows, id_of
from simulator.shapes import Shapes
from simulator.world import World

_encode = msgspec.json.Encoder().encode


class Lists:
    """Pages of every collection of a world."""

    def __init__(self, world: World, options: Options, shapes: dict[int, Shapes]) -> None:
        self.world = world
        self.options = options
        self.shapes = shapes
        self._matches = Matches()
        self._lagged: tuple[Any, Rows] | None = None

    def page(self, collection: Collection, parameters: list[tuple[str, str]], organisations: list[int], lag: int) -> bytes:
        """Return the page that the parameters ask for; with a `lag` (seconds) late changes are not in it yet."""
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
            shown.append(self.shapes[owner].row(collection, rows[owner].encoded[id_of(key)], query.expands))
        return _envelope(collection, shown, cursor, parameters)

    def _keys(self, collection: Collection, organisation_id: int, rows: Rows, query: queries.Query) -> list[int]:
        labels = {}
        if any(condition.kind == "labels" for _, condition, _ in query.conditions):
            categories = self.world.table("categories", organisation_id)
            labels = {number: (categories.get(number) or {}).get("label", "") for number in categories.rows.encoded}
        place = Place(collection, self.world.table(collection.table, organisation_id), rows, iso(self.world.now), labels)
        return self._matches.keys(place, query)

    def _rows(self, collection: Collection, organisation_id: int, lag: int) -> Rows:
        """The rows that a list shows: those of the table, or, when lists lag, with late changes undone."""
        rows = self.world.table(collection.table, organisation_id).rows
        if not lag:
            return rows
        asked = (collection.table, organisation_id, rows.generation, self.world.now, lag)
        if self._lagged is None or self._lagged[0] != asked:
            self._lagged = asked, _lagging(self.world, collection.table, organisation_id, lag)
        return self._lagged[1]

    def members(self, team_id: int, parameters: list[tuple[str, str]], organisations: list[int]) -> bytes:
        """Return a page of the members of a team."""
        members_of = Collection("members", f"teams/{team_id}/members", "members", None)
        query = queries.read(members_of, parameters, self.options)
        team = next((found for each in organisations if (found := self.world.get("teams", each, team_id))), None)
        if team is None:
            raise not_found()
        by_id = {member["id"]: _encode(member) for member in team["members"]}
        page, cursor = paging.cut(sorted(by_id), query, self.options, is_keyset=False)
        return _envelope(members_of, [by_id[each] for each in page], cursor, parameters)


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
    """Return the rows as a list shows them whose every change has a delay of its own, up to `lag` seconds."""
    shown: dict[int, bytes | None] = {}  # the latest version that is not late
    late: set[int] = set()  # nothing to show yet
    for owner, record_id, at, encoded in reversed(world.history(table)):
        if not late and at <= world.now - lag * SECOND:
            break
        if owner != organisation_id or record_id in shown:
            continue
        if _is_late(world, record_id, at, lag):
            late.add(record_id)
        else:
            shown[record_id] = encoded
            late.discard(record_id)
    rows = Rows()
    current = world.table(table, organisation_id).rows
    rows.started = current.started
    merged = current.encoded | shown | dict.fromkeys(late)
    rows.encoded = {record_id: encoded for record_id, encoded in merged.items() if encoded is not None}
    return rows


def _is_late(world: World, record_id: int, at: int, lag: int) -> bool:
    delay = int.from_bytes(hashlib.blake2b(f"{record_id} {at}".encode(), digest_size=4).digest()) % (lag + 1)
    return at + delay * SECOND > world.now

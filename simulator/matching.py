"""Which rows a list request asks for, as sort keys in order."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from simulator.catalogue import Collection
from simulator.problems import bad_value
from simulator.queries import Condition, Query
from simulator.rows import Rows, id_of, pack
from simulator.world import Table

_REMEMBERED = 16  # filtered orders per collection: a walk asks for the same one page after page


class Facts(msgspec.Struct):
    """What rows can be filtered by, under the API's names."""

    id: int
    title: str = ""
    name: str = ""
    email: str | None = None
    status: str | None = None
    requestStatus: str | None = None  # noqa: N815
    priority: str | None = None
    partStatus: str | None = None  # noqa: N815
    measurementType: str | None = None  # noqa: N815
    manufacturer: str | None = None
    model: str | None = None
    role: str | None = None
    assetId: int | None = None  # noqa: N815
    mainAssetId: int | None = None  # noqa: N815
    locationId: int | None = None  # noqa: N815
    creatorId: int | None = None  # noqa: N815
    sequentialId: int | None = None  # noqa: N815
    startDate: str | None = None  # noqa: N815
    archivedAt: str | None = None  # noqa: N815
    asset: dict[str, Any] | None = None
    assignees: list[dict[str, Any]] = []
    categories: list[str] = []
    parts: list[dict[str, Any]] = []
    vendors: list[dict[str, Any]] = []
    vendorIds: list[int] = []  # noqa: N815
    teamIds: list[int] = []  # noqa: N815
    extraFields: dict[str, str] = {}  # noqa: N815


class _AssetFacts(Facts):
    status: Any = None  # of an asset it is an interval, not a word


_decode = msgspec.json.Decoder(Facts).decode
_decode_asset = msgspec.json.Decoder(_AssetFacts).decode


@dataclass(frozen=True, slots=True)
class Place:
    """The list that is asked: its rules, its table, the rows it shows (late ones may be held back), and the moment."""

    collection: Collection
    table: Table
    rows: Rows
    now: str  # ISO text; a start date after it is upcoming
    labels: Mapping[int, str]  # of categories by id


class Matches:
    """Answers the same filter page after page without looking at every row again."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[tuple[Any, ...], list[int]] = OrderedDict()

    def keys(self, place: Place, query: Query) -> list[int]:
        """Return the packed sort keys of the matching rows, ascending; a range on the sorted field is left to the caller."""
        rows, filters = place.rows, place.collection.filters
        hides_upcoming = "show_upcoming" in filters and not query.upcoming
        others = {name: bounds for name, bounds in query.ranges.items() if name != query.sort}
        conditions = list(query.conditions)
        if "archived" in filters and all(name != "archived" for name, _, _ in conditions):
            conditions.append(("archived", filters["archived"], ("false",)))
        if not (hides_upcoming or others or conditions or query.custom_fields):
            return rows.order(query.sort)
        asked = (place.collection.table, rows.serial, rows.generation, query.sort, str(others), str(conditions), str(query.custom_fields))
        asked += (place.now if hides_upcoming else "",)
        if asked not in self._remembered:
            found = (row for row in _candidates(rows, others) if _fits(place, row, conditions, query))
            kept = [row.id for row in found if not (hides_upcoming and (row.startDate or "") > place.now)]
            self._remembered[asked] = sorted(rows.key(query.sort, rows.encoded[each]) for each in kept)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return self._remembered[asked]


def between(keys: list[int], bounds: tuple[int | None, int | None]) -> tuple[int, int]:
    """Return the slice of ascending packed keys whose values lie in the bounds, both inclusive; nulls lie in none."""
    since, until = bounds
    start = 0 if since is None else bisect_left(keys, pack(since, 0))
    stop = bisect_left(keys, pack(None if until is None else until + 1, 0))
    return start, stop


def check_custom_fields(rows: Iterable[Rows], query: Query) -> None:
    """Refuse a filter on a custom field that no row has, as an unknown parameter."""
    for label, _ in query.custom_fields:
        needle = msgspec.json.encode(label)
        if not any(needle in row and label in _facts(row).extraFields for each in rows for row in each.encoded.values()):
            raise bad_value(f"'{label}' is not a valid query parameter")


def _candidates(rows: Rows, others: dict[str, tuple[int | None, int | None]]) -> Iterator[Facts]:
    ids: Iterable[int] = rows.encoded
    for name, bounds in others.items():
        order = rows.order(name)
        start, stop = between(order, bounds)
        within = [id_of(key) for key in order[start:stop]]
        ids = within if ids is rows.encoded else set(ids).intersection(within)
    return (_facts(rows.encoded[each]) for each in ids)


def _facts(encoded: bytes) -> Facts:
    return _decode_asset(encoded) if b'"status":{' in encoded else _decode(encoded)


def _fits(place: Place, row: Facts, conditions: Sequence[Condition], query: Query) -> bool:
    return all(_holds(place, row, each) for each in conditions) and all(
        row.extraFields.get(label) in values for label, values in query.custom_fields
    )


def _holds(place: Place, row: Facts, asked: Condition) -> bool:
    name, condition, values = asked
    match condition.kind:
        case "text":
            number = str(row.sequentialId) if row.sequentialId is not None else None
            return values[-1].casefold() in row.title.casefold() or values[-1] == number
        case "prefix":
            return row.name.startswith(values[-1])
        case "flag":
            return _flag(row, name, values[-1])
        case "labels":
            wanted = {place.labels.get(int(value), value) if value.isdigit() else value for value in values}
            return wanted.isdisjoint(row.categories) == condition.negated
        case "ids":
            return (not {int(value) for value in values}.isdisjoint(_ids(row, condition.field))) != condition.negated
    return not set(values).isdisjoint(_texts(place, row, condition.field))


def _flag(row: Facts, name: str, value: str) -> bool:
    if name == "archived":
        return (row.archivedAt is not None) == (value == "true")
    return value == "false" or row.role not in {"REQUESTER", "SERVICE_ACCOUNT"}


def _ids(row: Facts, field: str) -> list[Any]:
    if field == "assignees":
        return [each["id"] for each in row.assignees if each["type"] == "USER"]
    if field == "assetId" and row.assetId is None and row.asset:
        return [row.asset["id"]]
    value = getattr(row, field)
    if field == "parts":
        return [each["id"] for each in value]
    return value if isinstance(value, list) else [value]


def _texts(place: Place, row: Facts, field: str) -> list[Any]:
    if field == "role":
        hidden = place.table.hidden.get(row.id, {})
        return ["PARENT" if hidden.get("isParent") else "SUB_WORK_ORDER" if hidden.get("parentId") else "STANDALONE"]
    if field == "vendors":
        return [each.get("partNumber") for each in row.vendors]
    return [getattr(row, field)]

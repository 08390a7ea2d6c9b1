"""Which rows a list request asks for, as sort keys in order."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from simulator.catalogue import Collection, Filter
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


class Matches:
    """Answers the same filter page after page without looking at every row again."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[tuple[Any, ...], list[int]] = OrderedDict()

    def keys(self, collection: Collection, table: Table, rows: Rows, query: Query, now: str, labels: dict[int, str]) -> list[int]:
        """Return the packed sort keys of the matching rows, ascending; a range on the sorted field is left to the caller.

        Args:
            now: the instant of the request, as ISO text; a start date after it is upcoming.
            labels: category labels by id.
        """
        hides_upcoming = "show_upcoming" in collection.filters and not query.upcoming
        others = {name: bounds for name, bounds in query.ranges.items() if name != query.sort}
        archived = _default_conditions(collection, query)
        conditions = [*query.conditions, *archived]
        if not (hides_upcoming or others or conditions or query.custom_fields):
            return rows.order(query.sort)
        asked = (collection.table, id(rows), rows.generation, query.sort, str(others), str(conditions), str(query.custom_fields))
        asked += (now if hides_upcoming else "",)
        if asked not in self._remembered:
            found = [each for each in _candidates(rows, others) if _fits(collection, table, each, conditions, query, labels)]
            kept = [each for each in found if not (hides_upcoming and (each.startDate or "") > now)]
            self._remembered[asked] = sorted(rows.key(query.sort, rows.encoded[each.id]) for each in kept)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return self._remembered[asked]


def between(keys: list[int], bounds: tuple[int | None, int | None]) -> tuple[int, int]:
    """Return the slice of ascending packed keys whose values lie in the bounds, both inclusive; nulls lie in none."""
    since, until = bounds
    start = 0 if since is None else bisect_left(keys, pack(since, 0))
    stop = bisect_left(keys, pack(None, 0)) if until is None else bisect_right(keys, pack(until + 1, 0) - 1)
    return start, stop


def check_custom_fields(rows: Iterable[Rows], query: Query) -> None:
    """Refuse a filter on a custom field that no row has, as an unknown parameter."""
    for label, _ in query.custom_fields:
        needle = msgspec.json.encode(label)
        if not any(needle in encoded for each in rows for encoded in each.encoded.values()):
            raise bad_value(f"'{label}' is not a valid query parameter")


def _default_conditions(collection: Collection, query: Query) -> list[Condition]:
    asked = {name for name, _, _ in query.conditions}
    return [("archived", collection.filters["archived"], ("false",))] if "archived" in collection.filters and "archived" not in asked else []


def _candidates(rows: Rows, others: dict[str, tuple[int | None, int | None]]) -> Iterable[Facts]:
    ids: Iterable[int] = rows.encoded
    for name, bounds in others.items():
        order = rows.order(name)
        start, stop = between(order, bounds)
        within = [id_of(key) for key in order[start:stop]]
        ids = within if ids is rows.encoded else set(ids).intersection(within)
    return (_facts(rows.encoded[each]) for each in ids)


def _facts(encoded: bytes) -> Facts:
    return _decode_asset(encoded) if b'"status":{' in encoded else _decode(encoded)


def _fits(collection: Collection, table: Table, row: Facts, conditions: list[Condition], query: Query, labels: dict[int, str]) -> bool:
    return all(_holds(collection, table, row, name, condition, values, labels) for name, condition, values in conditions) and all(
        row.extraFields.get(label) in values for label, values in query.custom_fields
    )


def _holds(
    collection: Collection, table: Table, row: Facts, name: str, condition: Filter, values: tuple[str, ...], labels: dict[int, str]
) -> bool:
    match condition.kind:
        case "text":
            number = str(row.sequentialId) if row.sequentialId is not None else None
            return values[-1].casefold() in row.title.casefold() or values[-1] == number
        case "prefix":
            return row.name.startswith(values[-1])
        case "flag":
            return _flag(row, name, values[-1] == "true")
        case "labels":
            wanted = {labels.get(int(value), value) if value.isdigit() else value for value in values}
            return wanted.isdisjoint(row.categories) == condition.negated
        case "ids":
            return (not {int(value) for value in values}.isdisjoint(_ids(row, condition.field))) != condition.negated
        case _:
            return not set(values).isdisjoint(_texts(collection, table, row, condition.field))


def _flag(row: Facts, name: str, wanted: bool) -> bool:
    if name == "archived":
        return (row.archivedAt is not None) == wanted
    return not wanted or row.role not in {"REQUESTER", "SERVICE_ACCOUNT"}


def _ids(row: Facts, field: str) -> list[Any]:
    if field == "assignees":
        return [each["id"] for each in row.assignees if each["type"] == "USER"]
    if field == "assetId" and row.assetId is None and row.asset:
        return [row.asset["id"]]
    value = getattr(row, field)
    if field == "parts":
        return [each["id"] for each in value]
    return value if isinstance(value, list) else [value]


def _texts(collection: Collection, table: Table, row: Facts, field: str) -> list[Any]:
    if field == "role" and collection.table == "work_orders":
        hidden = table.hidden.get(row.id, {})
        return ["PARENT" if hidden.get("isParent") else "SUB_WORK_ORDER" if hidden.get("parentId") else "STANDALONE"]
    if field == "vendors":
        return [each.get("partNumber") for each in row.vendors]
    return [getattr(row, field)]

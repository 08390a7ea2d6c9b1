"""Query parameters, checked as strictly as the API checks them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.catalogue import DATE_RANGES, Collection, Filter
from simulator.instants import parse
from simulator.options import Options
from simulator.problems import bad_value, out_of_bounds

DEFAULT_LIMIT = 100
Parameters = Sequence[tuple[str, str]]
Condition = tuple[str, Filter, tuple[str, ...]]


@dataclass(slots=True)
class Query:
    """What one list request asks for."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    sort: str = "id"
    descending: bool = False
    expands: frozenset[str] = frozenset()
    upcoming: bool = False
    ranges: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)  # field → from, to; inclusive milliseconds
    conditions: list[Condition] = field(default_factory=list)
    custom_fields: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


def read(collection: Collection, parameters: Parameters, options: Options) -> Query:
    """Return the query of a list request.

    Raises:
        Refused: 400 in the shape that the API uses for the mistake.
    """
    query = Query(limit=min(DEFAULT_LIMIT, options.largest_page), upcoming=not options.hides_upcoming)
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        given.setdefault(name, []).append(value)
    _sort(query, collection, options.default_sorts.get(collection.table, "id"), check=False)
    for name, values in given.items():
        _take(query, collection, options, name, values)
    return query


def read_expands(tokens: Sequence[str], allowed: Sequence[str]) -> frozenset[str]:
    """Return the expand tokens; one that is not allowed fails the whole request."""
    return frozenset(_member(token, allowed) for token in tokens)


def list_expands(collection: Collection, options: Options) -> list[str]:
    """Return the expand tokens that the list knows."""
    return [token for token in collection.expands if options.team_ids_expand or (collection.table, token) != ("work_orders", "team_ids")]


def flag(name: str, text: str) -> bool:
    """Return the truth of true or false."""
    if text not in {"true", "false"}:
        raise bad_value(f"'{text}' is not a valid boolean for {name}")
    return text == "true"


def _take(query: Query, collection: Collection, options: Options, name: str, values: list[str]) -> None:
    value = values[-1]
    if name == "limit":
        query.limit = _limit(value, options)
    elif name == "cursor":
        query.cursor = value
    elif name == "sort" and collection.sorts:
        _sort(query, collection, value, is_honoured=options.is_sort_honoured)
    elif name == "expand" and collection.expands:
        query.expands = read_expands(values, list_expands(collection, options))
    elif name in DATE_RANGES and collection.has_date_filters:
        _narrow(query, name[:-5], _bound(name, value, options), is_start=name.endswith("[gte]"), is_honoured=options.is_filter_honoured)
    elif name in collection.filters:
        _filter(query, name, collection.filters[name], values)
    elif collection.has_custom_field_filters:
        query.custom_fields.append((name.removesuffix("__c"), tuple(values)))
    elif options.unknown_parameter == "error":
        raise bad_value(f"'{name}' is not a valid query parameter")


def _filter(query: Query, name: str, condition: Filter, values: list[str]) -> None:
    if condition.kind == "date":
        _narrow(query, condition.field, _instant(name, values[-1]), is_start=name == "createdAfter")
    elif name == "show_upcoming":
        query.upcoming = flag(name, values[-1]) or query.upcoming
    else:
        _check(name, condition, values)
        query.conditions.append((name, condition, tuple(values)))


def _check(name: str, condition: Filter, values: list[str]) -> None:
    for value in values:
        if condition.members:
            _member(value, condition.members)
        if condition.kind == "ids" and not value.lstrip("-").isdigit():
            raise bad_value(f"'{value}' is not a valid integer")
        if condition.kind == "flag":
            flag(name, value)


def _member(value: str, members: Sequence[str]) -> str:
    if value not in members:
        raise bad_value(f"'{value}' is not a member of {','.join(members)}")
    return value


def _limit(text: str, options: Options) -> int:
    if not text.lstrip("-").isdigit():
        raise bad_value(f"'{text}' is not a valid integer")
    limit = int(text)
    if limit > options.largest_page:
        if options.over_limit == "cut":
            return options.largest_page
        raise out_of_bounds(f"must be <= {options.largest_page}", "limit", limit)
    if limit < 1:
        raise out_of_bounds("must be >= 1", "limit", limit)
    return limit


def _sort(query: Query, collection: Collection, value: str, *, check: bool = True, is_honoured: bool = True) -> None:
    if check:
        _member(value, [*collection.sorts, *(f"-{name}" for name in collection.sorts)])
    if is_honoured:
        query.sort, query.descending = value.removeprefix("-"), value.startswith("-")


def _narrow(query: Query, name: str, at: int, *, is_start: bool, is_honoured: bool = True) -> None:
    if not is_honoured:
        return
    since, until = query.ranges.get(name, (None, None))
    query.ranges[name] = (at, until) if is_start else (since, at)


def _bound(name: str, text: str, options: Options) -> int:
    at = _instant(name, text)
    return at - at % options.filter_resolution_ms


def _instant(name: str, text: str) -> int:
    try:
        return parse(text)
    except ValueError as error:
        raise bad_value(f"'{text}' is not a valid date for {name}") from error

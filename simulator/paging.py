"""Pages of a list: keyset cursors for work orders, offset cursors, with all their shifting, for the rest."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from itertools import groupby

from simulator.instants import iso, parse
from simulator.matching import between
from simulator.options import Options
from simulator.problems import Refused, bad_value
from simulator.queries import Query
from simulator.rows import NULL_KEY, id_of, pack, value_of


def cut(keys: list[int], query: Query, options: Options, *, is_keyset: bool) -> tuple[list[int], str | None]:
    """Return the part of the ascending packed `keys` that the query asks for, in the order of the answer, and the next cursor."""
    start, stop = between(keys, query.ranges[query.sort]) if query.sort in query.ranges else (0, len(keys))
    if is_keyset and options.ties == "with_sort" and (options.null_order == "largest" or not query.descending):
        return _keyset_slice(keys, start, stop, query)
    ordered = _ordered(keys[start:stop], query, options)
    if is_keyset:
        return _keyset_scan(ordered, query)
    return _offset(ordered, query, options)


def invalid_cursor() -> Refused:
    """400: the cursor cannot be read, or is no longer good."""
    return bad_value("Invalid cursor")


def _keyset_slice(keys: list[int], start: int, stop: int, query: Query) -> tuple[list[int], str | None]:
    if query.descending:
        if query.cursor is not None:
            stop = min(stop, bisect_left(keys, _read_keyset(query.cursor)))
        page = keys[max(start, stop - query.limit) : stop][::-1]
        has_more = stop - len(page) > start
    else:
        if query.cursor is not None:
            start = max(start, bisect_right(keys, _read_keyset(query.cursor)))
        page = keys[start : min(stop, start + query.limit)]
        has_more = start + len(page) < stop
    return page, _write_keyset(page[-1]) if has_more and page else None


def _keyset_scan(ordered: list[int], query: Query) -> tuple[list[int], str | None]:
    # orders that are neither ascending nor descending as a whole: the place after the cursor's row, else of its value
    start = 0
    if query.cursor is not None:
        after = _read_keyset(query.cursor)
        start = ordered.index(after) + 1 if after in ordered else len([each for each in ordered if (each > after) == query.descending])
    page = ordered[start : start + query.limit]
    return page, _write_keyset(page[-1]) if start + len(page) < len(ordered) else None


def _offset(ordered: list[int], query: Query, options: Options) -> tuple[list[int], str | None]:
    start = 0 if query.cursor is None else _read_offset(query.cursor)
    if options.largest_offset is not None and start > options.largest_offset:
        raise bad_value(f"offset must be <= {options.largest_offset}")
    page = ordered[start : start + query.limit]
    has_more = start + len(page) < len(ordered)
    return page, urlsafe_b64encode(f"offset:{start + query.limit}".encode()).decode() if has_more else None


def _ordered(keys: list[int], query: Query, options: Options) -> list[int]:
    if not query.descending:
        return keys
    if options.ties == "ascending":
        groups = [list(group) for _, group in groupby(keys, value_of)]
        keys = [key for group in reversed(groups) for key in group]
    else:
        keys = keys[::-1]
    if options.null_order == "last":
        return [key for key in keys if value_of(key) is not None] + [key for key in keys if value_of(key) is None]
    return keys


def _write_keyset(key: int) -> str:
    value = value_of(key)
    return f"{'' if value is None else iso(value)}|{id_of(key)}"


def _read_keyset(cursor: str) -> int:
    text, _, record_id = cursor.rpartition("|")
    try:
        return pack(parse(text) if text else NULL_KEY, int(record_id))
    except ValueError as error:
        raise invalid_cursor() from error


def _read_offset(cursor: str) -> int:
    try:
        word, _, number = urlsafe_b64decode(cursor).decode().partition(":")
        if word != "offset":
            raise invalid_cursor()
        return int(number)
    except ValueError as error:
        raise invalid_cursor() from error

"""Questions about the ways to walk through a list: order, filters, ties, cursors."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from dagster_project.maintainx.client import Page
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.maintainx.inquiry import (
    NONSENSE,
    SAMPLE,
    UPCOMING,
    Inquiry,
    Row,
    Unanswered,
    ascending,
    descending,
    instant,
    iso,
    outcome,
    rows,
    stamps,
)

FEW = 20  # of fewer stamps nothing is said about all of them
FAR = 1_000_000  # rows into an offset list
KEYSET = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z?\|")
MILLISECOND = timedelta(milliseconds=1)


def order_honoured(ask: Inquiry) -> str:
    """Whether sort=updatedAt sorts."""
    values = stamps(ascending(ask))
    if len(set(values)) < 2:
        raise Unanswered("too few work orders differ in updatedAt")
    ask.found["is_sort_honoured"] = is_sorted = all(one <= two for one, two in pairwise(values))
    return "yes" if is_sorted else "no"


def filter_honoured(ask: Inquiry) -> str:
    """Whether updatedAt[gte] leaves out what is older, and whether it takes in its own bound."""
    newest = _newest(ask)
    after, at = _since(ask, newest + MILLISECOND), _since(ask, newest)
    oldest = min(stamps(ascending(ask)), default=newest)
    shown = min([*stamps(after), *stamps(at)], default=newest)
    ask.found["is_filter_honoured"] = is_honoured = shown >= newest.replace(microsecond=0) or oldest >= newest.replace(microsecond=0)
    if not is_honoured:
        return "no: older rows are shown"
    return "yes, inclusive" if newest in stamps(at) else "yes, but the bound itself is left out"


def resolution(ask: Inquiry) -> str:
    """How fine updatedAt and the filter on it are."""
    newest = _newest(ask)
    values = [at for page in [ascending(ask), *ask.lists.values()] for at in stamps(page)]
    is_coarse_filter = newest in stamps(_since(ask, newest + MILLISECOND))
    is_coarse_stamp = len(set(values)) >= FEW and not any(at.microsecond for at in values)
    ask.found["resolution_ms"] = 1000 if is_coarse_filter or is_coarse_stamp else 1
    shown = "whole seconds" if is_coarse_stamp else "microseconds" if any(at.microsecond % 1000 for at in values) else "milliseconds"
    return f"stamps: {shown}; filter: {'whole seconds' if is_coarse_filter else 'milliseconds'}"


def _newest(ask: Inquiry) -> datetime:
    values = [at for at in stamps(descending(ask)) if at.microsecond < 999_000]
    if not values:
        raise Unanswered("no work order has an updatedAt to ask for")
    return max(values)


def _since(ask: Inquiry, at: datetime) -> Page:
    return ask.page("work_orders", UPCOMING, ("updatedAt[gte]", iso(at)), ("sort", "updatedAt"), ("limit", str(SAMPLE)))


def ties(ask: Inquiry) -> str:
    """In which order rows of equal updatedAt come."""
    found = {}
    for name, page in (("ascending", ascending(ask)), ("descending", descending(ask))):
        groups = [[row["id"] for row in group] for _, group in groupby(rows(page), key=lambda row: row.get("updatedAt"))]
        several = [ids for ids in groups if len(ids) > 1]
        if several:
            found[name] = _direction([pair for ids in several for pair in pairwise(ids)])
    if not found:
        raise Unanswered("no two of the work orders looked at have one updatedAt")
    return "; ".join(f"{name}: ids {direction}" for name, direction in found.items())


def _direction(pairs: Sequence[tuple[Any, Any]]) -> str:
    if all(one < two for one, two in pairs):
        return "ascending"
    return "descending" if all(one > two for one, two in pairs) else "in no order"


def default_orders(ask: Inquiry) -> str:
    """In which order lists come that are not told one."""
    found = []
    for table, page in ask.lists.items():
        if any(name == "sort" for name, _ in BY_TABLE[table].params) or len(page.records) < 3:
            continue
        found.append(f"{table} {_order_of(rows(page))}")
    if not found:
        raise Unanswered("no list has three rows")
    return ", ".join(found)


def _order_of(records: Sequence[Row]) -> str:
    for name in ("createdAt", "updatedAt", "id"):
        values = [instant(row.get(name)) if name != "id" else row.get(name) for row in records]
        known = [value for value in values if value is not None]
        if len(known) == len(records) and len(set(known)) > 1:
            if all(one <= two for one, two in pairwise(known)):
                return "id" if name == "createdAt" and _is_ascending_by_id(records) else name
            if all(one >= two for one, two in pairwise(known)):
                return f"-{name}"
    return "in no order"


def _is_ascending_by_id(records: Sequence[Row]) -> bool:
    return all(one["id"] < two["id"] for one, two in pairwise(records))


def cursors(ask: Inquiry) -> str:
    """What a cursor is made of."""
    texts = {table: ask.lists[table].next_cursor for table in ("work_orders", "assets") if table in ask.lists}
    kinds = [f"{table}: {cursor_kind(text)}" for table, text in texts.items() if text]
    if not kinds:
        raise Unanswered(f"no list that pages has more than {SAMPLE} rows")
    return "; ".join(kinds)


def cursor_kind(cursor: str) -> str:
    """Return keyset (a sort value and an id), offset (a number of rows) or opaque."""
    if KEYSET.match(cursor):
        return "keyset"
    inner = _decoded(cursor)
    if inner is None:
        return "offset" if cursor.isdigit() else "opaque"
    if KEYSET.match(inner):
        return "keyset"
    return "offset" if re.search(r"offset|skip|page", inner, re.IGNORECASE) or inner.isdigit() else "opaque"


def _decoded(cursor: str) -> str | None:
    try:
        return b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (NotBase64, UnicodeDecodeError, ValueError):
        return None


def bad_cursors(ask: Inquiry) -> str:
    """What a cursor that cannot be read answers."""
    return "; ".join(f"{table}: {outcome(ask, table, ('cursor', NONSENSE), ('limit', '1'))}" for table in ("work_orders", "assets"))


def deep_offsets(ask: Inquiry) -> str:
    """Whether an offset list may be read to any depth."""
    cursor = ask.lists["assets"].next_cursor if "assets" in ask.lists else None
    inner = _decoded(cursor) if cursor else None
    if inner is None or not re.search(r"\d+", inner) or cursor_kind(cursor or "") != "offset":
        raise Unanswered("no cursor of the assets tells how far it reaches")
    forged = b64encode(re.sub(r"\d+", str(FAR), inner, count=1).encode(), altchars=b"-_").decode()
    return f"{FAR:,} rows in: {outcome(ask, 'assets', ('cursor', forged), ('limit', '1'))}"


def nulls(ask: Inquiry) -> str:
    """Where rows without the sort key stand."""
    found = {}
    for name, sort in (("ascending", "completedAt"), ("descending", "-completedAt")):
        first = next(iter(rows(ask.page("work_orders", UPCOMING, ("sort", sort), ("limit", "1")))), None)
        if first is None:
            raise Unanswered("there is no work order")
        found[name] = "nulls first" if first.get("completedAt") is None else "nulls last, or none"
    return "; ".join(f"{name}: {where}" for name, where in found.items())

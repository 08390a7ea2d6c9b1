"""What nobody outside MaintainX knows for sure, as questions that a key which only reads can answer."""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import BY_TABLE, ENDPOINTS, Endpoint, Walk
from dagster_project.maintainx.errors import BadRequest, Forbidden, MaintainXError, NotFound, ProtocolError

NONSENSE = "maintainx_probe"  # no parameter, sort key, expand or cursor is called so
SAMPLE = 50  # rows of each list
FEW = 20  # of fewer stamps nothing is said about all of them
FAR = 1_000_000  # rows into an offset list
MEMBERS = re.compile(r"is not a member of ([\w,-]+)")
KEYSET = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z?\|")
MILLISECOND = timedelta(milliseconds=1)
UPCOMING = ("show_upcoming", "true")

Params = Sequence[tuple[str, str]]
Row = Mapping[str, Any]


class Unanswered(Exception):
    """This account's records do not tell: says why."""


@dataclass(frozen=True, slots=True)
class Log:
    """What our own log of this organisation can tell."""

    deleted_order: int | None = None
    changes: int = 0  # versions with a stamp of their own that later readings brought
    late_seconds: Sequence[float] = ()  # of those stamped before the watermark that the reading started from
    why_not: str | None = None  # the log cannot be read


@dataclass(slots=True)
class Inquiry:
    """One probe under way: what was read so far, and what the capability file will hold."""

    client: MaintainX
    log: Log
    lists: dict[str, Page] = field(default_factory=dict)  # table → its first page
    found: dict[str, Any] = field(default_factory=dict)
    memory: dict[tuple, Page] = field(default_factory=dict)

    def page(self, table: str, *params: tuple[str, str]) -> Page:
        """Return a page of a list; the same question is asked once."""
        if (table, params) not in self.memory:
            endpoint = BY_TABLE[table]
            self.memory[table, params] = self.client.page(endpoint.path, endpoint.items, params)
        return self.memory[table, params]

    def refused(self, table: str, *params: tuple[str, str]) -> str | None:
        """Return the words with which a request is refused (400, 404); None when it is answered."""
        try:
            self.page(table, *params)
        except (BadRequest, NotFound) as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class Question:
    """One question, who answers it, and what the answer changes."""

    text: str
    changes: str
    answer: Callable[[Inquiry], str]


def rows(page: Page) -> list[Row]:
    """Return the records of a page that are objects."""
    return [record for record in map(json.loads, page.records) if isinstance(record, dict)]


def instant(text: object) -> datetime | None:
    """Return an instant of the API; None when it is none."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def iso(at: datetime) -> str:
    """Return an instant as the API writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def plan(ask: Inquiry) -> str:
    """Which lists can be read; keeps the first page of each."""
    missing: list[Endpoint] = []
    for endpoint in ENDPOINTS:
        try:
            ask.lists[endpoint.table] = ask.page(endpoint.table, *endpoint.params, ("limit", str(SAMPLE)))
        except (Forbidden, NotFound):
            missing.append(endpoint)
    ask.found["missing"] = [endpoint.path for endpoint in missing if not endpoint.is_required]
    names = ", ".join(endpoint.path for endpoint in missing)
    return f"{len(ENDPOINTS) - len(missing)} of {len(ENDPOINTS)}" + (f"; not {names}" if names else "")


def tokens(ask: Inquiry) -> str:
    """Which expands and sort keys each list knows: by the live document, and by asking for one that cannot be."""
    document = _document(ask)
    for endpoint in ENDPOINTS:
        if endpoint.table not in ask.lists:
            continue
        by_document = {name: _enum(document, endpoint.path, name) for name in ("expand", "sort")}
        if endpoint.expands and (endpoint.is_required or not set(endpoint.expands) <= set(by_document["expand"] or ())):
            by_document["expand"] = _members(ask, endpoint.table, "expand")  # a document may be older than the list: it denies nothing
        if endpoint.walk is not Walk.WHOLE:
            by_document["sort"] = _members(ask, endpoint.table, "sort") or by_document["sort"]
        ask.found.setdefault("expands", {}).update({endpoint.path: by_document["expand"]} if by_document["expand"] is not None else {})
        ask.found.setdefault("sorts", {}).update({endpoint.path: by_document["sort"]} if by_document["sort"] is not None else {})
    known = ask.found.get("expands", {})
    unknown = [f"{e.table} {t}" for e in ENDPOINTS for t in e.expands if e.path in known and t not in known[e.path]]
    count = sum(len(each) for each in known.values())
    return f"{count} expands of {len(known)} lists; of ours not known: {', '.join(unknown) or 'none'}"


def _document(ask: Inquiry) -> Row:
    try:
        return ask.client.get("/openapi.json") or {}
    except (BadRequest, Forbidden, ProtocolError):
        return {}


def _enum(document: Row, path: str, name: str) -> list[str] | None:
    operation = document.get("paths", {}).get(path, {}).get("get", {})
    shared = document.get("components", {}).get("parameters", {})
    for parameter in operation.get("parameters", []):
        stated = shared.get(str(parameter.get("$ref", "")).rpartition("/")[2], parameter)
        schema = stated.get("schema", {})
        values = schema.get("items", schema).get("enum")
        if stated.get("name") == name and isinstance(values, list):
            return sorted(map(str, values))
    return None


def _members(ask: Inquiry, table: str, name: str) -> list[str] | None:
    said = MEMBERS.search(ask.refused(table, (name, NONSENSE), ("limit", "1")) or "")
    return sorted(said[1].split(",")) if said else None


def largest_page(ask: Inquiry) -> str:
    """How many rows a page may have."""
    page = _ascending(ask)
    size, named = len(page.records), ask.client.largest_page
    if page.next_cursor is None and named is None:
        raise Unanswered(f"there are only {size} work orders")
    ask.found["largest_page"] = cap = min(size, named or size) if page.next_cursor else named
    return f"{cap}"


def _ascending(ask: Inquiry) -> Page:
    return ask.page("work_orders", UPCOMING, ("sort", "updatedAt"), ("limit", "201"))


def _descending(ask: Inquiry) -> Page:
    return ask.page("work_orders", UPCOMING, ("sort", "-updatedAt"), ("limit", str(SAMPLE)))


def _stamps(page: Page, name: str = "updatedAt") -> list[datetime]:
    return [at for row in rows(page) if (at := instant(row.get(name))) is not None]


def order_honoured(ask: Inquiry) -> str:
    """Whether sort=updatedAt sorts."""
    values = _stamps(_ascending(ask))
    if len(set(values)) < 2:
        raise Unanswered("too few work orders differ in updatedAt")
    ask.found["is_sort_honoured"] = is_sorted = all(one <= two for one, two in pairwise(values))
    return "yes" if is_sorted else "no"


def filter_honoured(ask: Inquiry) -> str:
    """Whether updatedAt[gte] leaves out what is older, and whether it takes in its own bound."""
    newest = _newest(ask)
    after, at = _since(ask, newest + MILLISECOND), _since(ask, newest)
    oldest = min(_stamps(_ascending(ask)), default=newest)
    shown = min([*_stamps(after), *_stamps(at)], default=newest)
    ask.found["is_filter_honoured"] = is_honoured = shown >= newest.replace(microsecond=0) or oldest >= newest.replace(microsecond=0)
    if not is_honoured:
        return "no: older rows are shown"
    return "yes, inclusive" if newest in _stamps(at) else "yes, but the bound itself is left out"


def resolution(ask: Inquiry) -> str:
    """How fine updatedAt and the filter on it are."""
    newest = _newest(ask)
    values = [at for page in [_ascending(ask), *ask.lists.values()] for at in _stamps(page)]
    is_coarse_filter = newest in _stamps(_since(ask, newest + MILLISECOND))
    is_coarse_stamp = len(set(values)) >= FEW and not any(at.microsecond for at in values)
    ask.found["resolution_ms"] = 1000 if is_coarse_filter or is_coarse_stamp else 1
    stamps = "whole seconds" if is_coarse_stamp else "microseconds" if any(at.microsecond % 1000 for at in values) else "milliseconds"
    return f"stamps: {stamps}; filter: {'whole seconds' if is_coarse_filter else 'milliseconds'}"


def _newest(ask: Inquiry) -> datetime:
    values = [at for at in _stamps(_descending(ask)) if at.microsecond < 999_000]
    if not values:
        raise Unanswered("no work order has an updatedAt to ask for")
    return max(values)


def _since(ask: Inquiry, at: datetime) -> Page:
    return ask.page("work_orders", UPCOMING, ("updatedAt[gte]", iso(at)), ("sort", "updatedAt"), ("limit", str(SAMPLE)))


def ties(ask: Inquiry) -> str:
    """In which order rows of equal updatedAt come."""
    found = {}
    for name, page in (("ascending", _ascending(ask)), ("descending", _descending(ask))):
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
    return "; ".join(f"{table}: {_status(ask, table, ('cursor', NONSENSE), ('limit', '1'))}" for table in ("work_orders", "assets"))


def deep_offsets(ask: Inquiry) -> str:
    """Whether an offset list may be read to any depth."""
    cursor = ask.lists["assets"].next_cursor if "assets" in ask.lists else None
    inner = _decoded(cursor) if cursor else None
    if inner is None or not re.search(r"\d+", inner) or cursor_kind(cursor or "") != "offset":
        raise Unanswered("no cursor of the assets tells how far it reaches")
    forged = b64encode(re.sub(r"\d+", str(FAR), inner, count=1).encode(), altchars=b"-_").decode()
    return f"{FAR:,} rows in: {_status(ask, 'assets', ('cursor', forged), ('limit', '1'))}"


def unknown_parameters(ask: Inquiry) -> str:
    """What a parameter that nobody knows does."""
    return "; ".join(f"{table}: {_status(ask, table, (NONSENSE, '1'), ('limit', '1'))}" for table in ("work_orders", "assets"))


def _status(ask: Inquiry, table: str, *params: tuple[str, str]) -> str:
    try:
        page = ask.page(table, *params)
    except MaintainXError as error:
        if error.status is None:
            raise
        return f"refused ({error.status})"
    return "ignored" if page.records else "an empty page"


def nulls(ask: Inquiry) -> str:
    """Where rows without the sort key stand."""
    found = {}
    for name, sort in (("ascending", "completedAt"), ("descending", "-completedAt")):
        first = next(iter(rows(ask.page("work_orders", UPCOMING, ("sort", sort), ("limit", "1")))), None)
        if first is None:
            raise Unanswered("there is no work order")
        found[name] = "nulls first" if first.get("completedAt") is None else "nulls last, or none"
    return "; ".join(f"{name}: {where}" for name, where in found.items())


def upcoming(ask: Inquiry) -> str:
    """Whether the list hides orders that have not begun."""
    newest = (("sort", "-createdAt"), ("limit", "100"))
    page = ask.page("work_orders", UPCOMING, *newest)
    later = {row["id"] for row in rows(page) if (at := instant(row.get("startDate"))) and at > page.served_at}
    if not later:
        raise Unanswered("none of the 100 newest work orders starts in the future")
    shown = {row["id"] for row in rows(ask.page("work_orders", ("show_upcoming", "false"), *newest))}
    return "shown always" if later & shown else "hidden unless show_upcoming=true"


def cancelled(ask: Inquiry) -> str:
    """Whether cancelled orders have a completion, and whether both closed statuses may be asked for together."""
    alone = rows(ask.page("work_orders", UPCOMING, ("statuses", "CANCELED"), ("limit", "20")))
    if not alone:
        raise Unanswered("no work order is cancelled")
    both = ask.page("work_orders", UPCOMING, ("statuses", "CANCELED"), ("statuses", "SKIPPED"), ("limit", "1"))
    completed = "completedAt is set" if any(row.get("completedAt") for row in alone) else "completedAt is not set"
    return f"{completed}; together with SKIPPED: {'found' if both.records else 'an empty page'}"


def deleted(ask: Inquiry) -> str:
    """What the id of a deleted order answers."""
    if ask.log.deleted_order is None:
        raise Unanswered(ask.log.why_not or "the log knows no deleted work order yet")
    answer = ask.client.get(f"/workorders/{ask.log.deleted_order}")
    record = answer.get("workOrder", answer) if answer else None
    if isinstance(record, dict) and not record.get("deletedAt"):
        return "the order is there again"
    ask.found["deleted"] = "not_found" if record is None else "deleted_at"
    return "404" if record is None else "200 with deletedAt"


def archived(ask: Inquiry) -> str:
    """Whether lists show what was archived or deleted."""
    shown = [table for table, page in ask.lists.items() if any(row.get("archivedAt") or row.get("deletedAt") for row in rows(page))]
    return f"yes, in {', '.join(shown)}" if shown else f"none among the first {SAMPLE} rows of each list"


def asset_moves(ask: Inquiry) -> str:
    """Whether a new status moves the updatedAt of its asset."""
    newest = next(iter(rows(ask.lists["asset_statuses"])), None) if "asset_statuses" in ask.lists else None
    at = instant((newest or {}).get("createdAt"))
    if newest is None or at is None:
        raise Unanswered("there is no asset status")
    answer = ask.client.get(f"/assets/{int(newest['assetId'])}") or {}
    moved = instant(answer.get("asset", answer).get("updatedAt"))
    if moved is None:
        raise Unanswered("the asset of the newest status cannot be read")
    return "yes, or it was changed since" if moved >= at - timedelta(seconds=1) else "no"


def asset_ids(ask: Inquiry) -> str:
    """Whether a row of the work order list names its asset."""
    orders = rows(ask.lists["work_orders"]) if "work_orders" in ask.lists else []
    if not orders:
        raise Unanswered("there is no work order")
    return "yes" if any("assetId" in row for row in orders) else "not among the orders looked at"


def large_ids(ask: Inquiry) -> str:
    """How large ids are."""
    largest = max((row["id"] for page in ask.lists.values() for row in rows(page) if isinstance(row.get("id"), int)), default=0)
    return "beyond 2^53" if largest > 2**53 else "beyond 2^31" if largest > 2**31 else "below 2^31"


def rate_limit(ask: Inquiry) -> str:
    """How many requests a window allows."""
    limit = ask.client.announced_limit
    if limit is None:
        raise Unanswered("no answer announced it")
    ask.found["rate_limit"] = int(limit)
    return f"{limit:.0f} requests a minute"


def late_commits(ask: Inquiry) -> str:
    """How late a change may show in the list."""
    if ask.log.why_not or not ask.log.changes:
        raise Unanswered(ask.log.why_not or "the log has no changes yet: ask again after some days")
    late = sorted(ask.log.late_seconds)
    if not late:
        return f"none of {ask.log.changes:,} changes came late"
    return f"{len(late):,} of {ask.log.changes:,} changes; the latest by {late[-1]:,.0f} s"


QUESTIONS = (
    Question("Which lists does the plan have?", "a missing one is not asked for", plan),
    Question("Which expands and sort keys are known?", "an unknown one is left out from the start", tokens),
    Question("How many rows may a page have?", "no larger page is asked for", largest_page),
    Question("Does sort=updatedAt sort?", "if not, lists are read whole", order_honoured),
    Question("Does updatedAt[gte] filter?", "if not, lists are read whole", filter_honoured),
    Question("How fine are updatedAt and its filter?", "the step of the walk past rows of one instant", resolution),
    Question("What does a deleted id answer?", "how an absence is confirmed", deleted),
    Question("How late do changes show?", "the overlap (3 h) should be three times that", late_commits),
    Question("How many requests a minute?", "the share that comparisons may use", rate_limit),
    Question("Are upcoming orders hidden?", "show_upcoming is always sent", upcoming),
    Question("Do order rows name their asset?", "if not, the asset is expanded", asset_ids),
    Question("What is a cursor made of?", "nothing: walks need none", cursors),
    Question("What does a bad cursor answer?", "a reading starts anew on 400 and 404", bad_cursors),
    Question("What does an unknown parameter do?", "nothing: none is sent", unknown_parameters),
    Question("Where do nulls stand?", "the labour sweep skips them", nulls),
    Question("In which order come rows of one instant?", "nothing: groups are read to a fixed point", ties),
    Question("In which order come lists by default?", "two readings are united where there is none", default_orders),
    Question("What of cancelled orders?", "statuses are never filtered by in history", cancelled),
    Question("Are archived rows in lists?", "a row with deletedAt is not live; an archived one stays, with its date", archived),
    Question("Does a status move its asset's updatedAt?", "how often assets change", asset_moves),
    Question("How large are ids?", "nothing: 64 bits are kept", large_ids),
    Question("Is there a deepest offset?", "long lists without filters could end early", deep_offsets),
)

NOT_ASKED = {
    "Which writes move updatedAt of orders and parts?": "a key that only reads changes nothing; reconciliation finds what it misses",
    "How long is a new record absent from lists?": "needs a record to be made",
    "What does a 429 say?": "finding out would use up the minute of everyone who shares the token's user",
    "How are webhooks signed and repeated?": "needs a subscription",
    "Does the organisation header harm a key of one organisation?": "it is not sent to one",
}

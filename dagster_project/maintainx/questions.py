"""What nobody outside MaintainX knows for sure, as questions that a key which only reads can answer."""

import re
from datetime import timedelta

from dagster_project.maintainx.endpoints import ENDPOINTS, Endpoint, Walk
from dagster_project.maintainx.errors import BadRequest, Forbidden, NotFound, ProtocolError
from dagster_project.maintainx.inquiry import (
    NEWEST,
    NONSENSE,
    SAMPLE,
    UPCOMING,
    Inquiry,
    Question,
    Row,
    Unanswered,
    ascending,
    descending,
    instant,
    outcome,
    rows,
)
from dagster_project.maintainx.walk_questions import (
    bad_cursors,
    cursors,
    deep_offsets,
    default_orders,
    filter_honoured,
    nulls,
    order_honoured,
    resolution,
    ties,
)

MEMBERS = re.compile(r"is not a member of ([\w,-]+)")
SORTS = {Walk.ANCHORED: {"createdAt", "updatedAt"}, Walk.RECENT: {"-updatedAt"}, Walk.WHOLE: set()}  # what the sync sorts by


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
    """Which expands and sort keys each list knows: by the live document, and by asking for one that cannot be.

    An optional list whose document names all that the sync asks of it is not asked.
    """
    document = _document(ask)
    for endpoint in ENDPOINTS:
        if endpoint.table not in ask.lists:
            continue
        by_document = {name: _enum(document, endpoint.path, name) for name in ("expand", "sort")}
        if endpoint.expands and (endpoint.is_required or not set(endpoint.expands) <= set(by_document["expand"] or ())):
            by_document["expand"] = _members(ask, endpoint.table, "expand")  # a document may be older than the list: it denies nothing
        if SORTS[endpoint.walk] and (endpoint.is_required or not SORTS[endpoint.walk] <= set(by_document["sort"] or ())):
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
    page = ascending(ask)
    size, named = len(page.records), ask.client.largest_page
    if page.next_cursor is None and named is None:
        raise Unanswered(f"there are only {size} work orders")
    ask.found["largest_page"] = cap = min(size, named or size) if page.next_cursor else named
    return f"{cap}"


def unknown_parameters(ask: Inquiry) -> str:
    """What a parameter that nobody knows does."""
    return "; ".join(f"{table}: {outcome(ask, table, (NONSENSE, '1'), ('limit', '1'))}" for table in ("work_orders", "assets"))


def upcoming(ask: Inquiry) -> str:
    """Whether the list hides orders that have not begun: the newest changes, read for other questions too, and again without them."""
    page = descending(ask)
    later = {row["id"] for row in rows(page) if (at := instant(row.get("startDate"))) and at > page.served_at}
    if not later:
        raise Unanswered(f"none of the {NEWEST} work orders changed last starts in the future")
    shown = {row["id"] for row in rows(descending(ask, ("show_upcoming", "false")))}
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
    """Whether a new status moves the updatedAt of its asset: of one that was read with its list, else of one asked for."""
    statuses = rows(ask.lists["asset_statuses"]) if "asset_statuses" in ask.lists else []
    made = [(at, row["assetId"]) for row in statuses if (at := instant(row.get("createdAt"))) is not None]
    if not made:
        raise Unanswered("there is no asset status")
    page = ask.lists.get("assets")
    assets = {row["id"]: row for row in rows(page)} if page else {}
    at, asset_id = next(((at, id_) for at, id_ in made if id_ in assets and page and at <= page.served_at), made[0])
    if asset_id not in assets or (page and at > page.served_at):  # a status made since that page was read says nothing about it
        answer = ask.client.get(f"/assets/{int(asset_id)}") or {}
        assets[asset_id] = answer.get("asset", answer)
    moved = instant(assets[asset_id].get("updatedAt"))
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

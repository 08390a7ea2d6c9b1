"""A probe under way: what was read so far, and what a question and its answer are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.maintainx.errors import BadRequest, MaintainXError, NotFound

NONSENSE = "maintainx_probe"  # no parameter, sort key, expand or cursor is called so
SAMPLE = 50  # rows of each list
NEWEST = 100  # work orders that changed last
UPCOMING = ("show_upcoming", "true")

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


def outcome(ask: Inquiry, table: str, *params: tuple[str, str]) -> str:
    """Return in words what became of a request."""
    try:
        page = ask.page(table, *params)
    except MaintainXError as error:
        if error.status is None:
            raise
        return f"refused ({error.status})"
    return "ignored" if page.records else "an empty page"


def stamps(page: Page, name: str = "updatedAt") -> list[datetime]:
    """Return the readable instants of a page's rows."""
    return [at for row in rows(page) if (at := instant(row.get(name))) is not None]


def ascending(ask: Inquiry) -> Page:
    """Return the oldest changes, and more rows than a page may have."""
    return ask.page("work_orders", UPCOMING, ("sort", "updatedAt"), ("limit", "201"))


def descending(ask: Inquiry, upcoming: tuple[str, str] = UPCOMING) -> Page:
    """Return the newest changes."""
    return ask.page("work_orders", upcoming, ("sort", "-updatedAt"), ("limit", str(NEWEST)))

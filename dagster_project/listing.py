"""One endpoint's list in one shape: the same expands in every request, sub-lists joined, whatever the source makes of it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import msgspec

from dagster_project.frames import records
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import Endpoint
from dagster_project.maintainx.errors import BadRequest, Forbidden, MaintainXError, NotFound, Unavailable

REFUSED_TOKEN = re.compile(r"'([^']+)' is not a member of")
STARTS = 2  # of a list whose cursor expires on the way
MOST_FAILING = 3  # records that the source fails on, through all retries: more of them, and it is the source that is ill

Said = TypeVar("Said")


class Listing:
    """How one reading asks for the rows of one endpoint; shared by the threads of a first load."""

    def __init__(self, endpoint: Endpoint, source: MaintainX, organisation_id: int, more: tuple[str, ...] = ()):
        self.endpoint, self.source, self.organisation_id = endpoint, source, organisation_id
        self.wanted = (*endpoint.expands, *more)
        self.refused = source.capabilities.unknown_expands(endpoint.path, self.wanted)  # expands that this MaintainX does not know
        self.pages_read = 0
        self.unanswered: dict[int, str] = {}  # records of which the source would not tell, and why: neither gone nor changed
        self._failing = 0

    @property
    def expands(self) -> tuple[str, ...]:
        """Return what is asked for: the shape of the rows."""
        return tuple(expand for expand in self.wanted if expand not in self.refused)

    @property
    def fallback(self) -> str | None:
        """Return the endpoint's fallback expand if it is asked for."""
        return self.endpoint.fallback_expand if self.endpoint.fallback_expand in self.wanted else None

    @property
    def step(self) -> timedelta:
        """Return the resolution of the list's date filters: a probe may have found it coarser than the API's instants."""
        return timedelta(milliseconds=self.source.capabilities.resolution_ms or 1)

    @property
    def refusals(self) -> str | None:
        """Return in words what the source did not know; None when it knew everything."""
        names = ", ".join(self.refused)
        return f"this MaintainX does not know expand={names}: what it brings stays empty" if self.refused else None

    def widen(self, page: Page) -> bool:
        """Ask for the embedded object from now on when no row of the page carries its id; return whether that is new."""
        wanted = self.endpoint.fallback_expand
        if not wanted or wanted in self.wanted or not page.records or any(f'"{wanted}Id"'.encode() in raw for raw in page.records):
            return False
        self.wanted = (*self.wanted, wanted)
        return True

    def one(self, params: Sequence[tuple[str, str]]) -> Page:
        """Return one page."""
        while True:
            asked = self.expands
            try:
                page = self.source.page(self.endpoint.path, self.endpoint.items, self.query(params))
            except BadRequest as error:
                if not self.leaves_out(error, asked):
                    raise
                continue
            self.pages_read += 1
            return self.with_members(page)

    def all(self, params: Sequence[tuple[str, str]]) -> Iterator[Page]:
        """Yield the pages by the server's cursor; one that expires on the way is a new start, once."""
        starts = 0
        while True:
            read_before, asked = self.pages_read, self.expands
            try:
                for page in self.source.pages(self.endpoint.path, self.endpoint.items, self.query(params)):
                    self.pages_read += 1
                    yield self.with_members(page)
            except (BadRequest, NotFound) as error:
                is_first_page = self.pages_read == read_before
                if is_first_page and self.leaves_out(error, asked):
                    continue
                starts += 1
                if starts == STARTS or is_first_page:  # refused at once: it is not the cursor
                    raise
            else:
                return

    def every(self) -> Iterator[Page]:
        """Yield every page of every variant of the list."""
        for variant in self.endpoint.variants:
            yield from map(self.own_rows, self.all(variant))

    def query(self, params: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the whole query of one request: the largest page unless `params` says otherwise."""
        limit = [] if any(name == "limit" for name, _ in params) else [("limit", "200")]
        return [*self.endpoint.query(self.expands), *limit, *params]

    def leaves_out(self, error: MaintainXError, asked: Sequence[str]) -> bool:
        """Return whether the source refused an expand of those that were asked for; it is left out from now on."""
        token = next((token for token in REFUSED_TOKEN.findall(str(error)) if token in asked), None)
        if token is not None and token not in self.refused:  # another thread may have met it before
            self.refused.append(token)
        return token is not None

    def about(self, record_id: int, ask: Callable[[], Said]) -> Said | None:
        """Return what the source says about one record; None, and it is noted, where it refuses or fails for that one alone.

        Raises:
            MaintainXError: the source as a whole refuses or fails; of too many records it cannot tell.
        """
        try:
            return ask()
        except Forbidden as error:
            self.unanswered[record_id] = str(error)
        except Unavailable as error:
            self._failing += 1
            if error.status is None or self._failing > MOST_FAILING:
                raise
            self.unanswered[record_id] = str(error)
        return None

    def settle(self, seen: set[int]) -> None:
        """Note that rows were read, after all."""
        for record_id in self.unanswered.keys() & seen:
            del self.unanswered[record_id]

    @property
    def silence(self) -> str | None:
        """Return in words of which records the source would not tell; None when it told of all."""
        if not self.unanswered:
            return None
        first, more = min(self.unanswered), len(self.unanswered) - 1
        others = f" (and {more} more)" if more else ""
        return f"record {first}{others} stays as it was: {self.unanswered[first]}"

    def own_rows(self, page: Page) -> Page:
        """Return the page without other organisations' rows, for a list that shows them."""
        if not self.endpoint.is_own_row_only:
            return page
        return replace(page, records=[raw for raw in page.records if records.id_of(raw) == self.organisation_id])

    def with_members(self, page: Page) -> Page:
        """Return the page with each row's sub-list under `members`, when the endpoint has one."""
        path = self.endpoint.members
        if not path:
            return page
        return replace(page, records=[joined for raw in page.records if (joined := self._joined(raw, path)) is not None])

    def _joined(self, raw: bytes, path: str) -> bytes | None:
        """Return the row with its sub-list; None when it is gone since the list was read, or its sub-list may not be read."""
        record_id = records.id_of(raw)
        if record_id is None:
            return raw  # the contract will refuse it
        members = self.about(record_id, lambda: self._members(record_id, path))
        if members is None:
            return None
        try:
            record = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        except msgspec.DecodeError:
            return raw  # the contract will refuse it
        return msgspec.json.encode({**record, "members": sorted(members, key=bytes)})

    def _members(self, record_id: int, path: str) -> list[msgspec.Raw] | None:
        pages = self.source.pages(path.format(id=record_id), "members", [("limit", "200")])
        try:
            return [msgspec.Raw(member) for page in pages for member in page.records]
        except NotFound:
            return None if self.source.get(f"{self.endpoint.path}/{record_id}") is None else []

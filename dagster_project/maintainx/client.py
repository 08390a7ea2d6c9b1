"""Reads MaintainX: paced, retried, page by page, and what it said untouched."""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpcore
import httpx

from dagster_project.maintainx import answers
from dagster_project.maintainx.answers import Answer, Page, TryAgain
from dagster_project.maintainx.capabilities import Capabilities
from dagster_project.maintainx.connection import checked_url, connect, headers_of
from dagster_project.maintainx.deadline import Deadline
from dagster_project.maintainx.errors import (
    BadRequest,
    EndlessWalk,
    Forbidden,
    MaintainXError,
    NotFound,
    OutOfRequests,
    ProtocolError,
    bare,
    quoted,
)
from dagster_project.maintainx.pacing import LONGEST_WAIT, Budget, OnWait, Permit, silent

Params = Sequence[tuple[str, str]]
Decoded = TypeVar("Decoded")

EXCHANGE_SECONDS = 60.0  # one request and its whole answer; 1.25 to 1.75 s is usual (api.md 1.11)
TRIES_NEVER_ANSWERED = 4  # a mistyped address should not take minutes to say so
LONGEST_BACKOFF = 30.0  # seconds
MOST_PAGES = 50_000  # 10 million records
MOST_EMPTY_PAGES = 100  # in a row; an empty page may come with a cursor
SMALLEST_PAGE = 10  # a MaintainX that refuses even this has something against the request, not its limit
REFUSED_LIMIT = re.compile(r"\blimit\b(?:.*?(?:<=|at most|exceed|maximum)\D{0,20}(\d+))?", re.IGNORECASE)

__all__ = ["MaintainX", "Page", "Traffic", "organisations"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was sent and received so far."""

    requests: int = 0  # retries included
    retries: int = 0
    waits: int = 0
    waited_seconds: float = 0.0
    bytes: int = 0  # of bodies, decoded


class MaintainX:
    """One organisation of MaintainX as one token reads it. Only ever sends GET; safe to share between threads."""

    def __init__(
        self,
        url: str,
        token: str,
        organisation_id: int | None = None,
        budget: Budget | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        on_wait: OnWait = silent,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        token_variable: str = "MAINTAINX_TOKEN",  # noqa: S107 (the name of a variable)
        exchange_seconds: float = EXCHANGE_SECONDS,
        capabilities: Capabilities | None = None,
        most_requests: int | None = None,
    ) -> None:
        """Prepare to read; nothing is sent yet.

        Args:
            url: with /v1.
            token: the user's API key.
            organisation_id: sent with each request; only for a token that reads several organisations.
            budget: the one of this token's user; share it between his organisations.
            transport: in place of the network (tests).
            on_wait: told of each wait, with its seconds and why.
            clock: monotonic seconds, for waits and time limits alone; the time of day comes from MaintainX.
            sleep: how to wait.
            jitter: from 0 to 1, so that clients that fail together do not return together.
            token_variable: named in the message when the token is refused.
            exchange_seconds: the most that one request and its whole answer may take.
            capabilities: what this MaintainX was found to do; by default what the API documents.
            most_requests: after so many, retries included, nothing more is sent.
        """
        self._base = checked_url(url)
        self._token_variable = token_variable
        self._budget = budget or Budget(clock=clock, sleep=sleep, jitter=jitter)
        self._on_wait, self._sleep, self._jitter = on_wait, sleep, jitter
        self._deadline, self._exchange_seconds = Deadline(clock), exchange_seconds
        self._lock = threading.Lock()
        self._traffic = Traffic()
        self._now: datetime | None = None
        self.capabilities = capabilities or Capabilities()
        self._largest_page, self._most_requests = self.capabilities.largest_page, most_requests
        self._http = connect(headers_of(token, organisation_id, token_variable), self._deadline, exchange_seconds, transport)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close its connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def requests(self) -> int:
        """The number of requests sent so far, retries included."""
        return self._traffic.requests

    @property
    def largest_page(self) -> int | None:
        """The most rows that a page may have, as far as a refusal or a probe has told."""
        return self._largest_page

    @property
    def announced_limit(self) -> float | None:
        """How many requests a window allows the token's user, as announced last."""
        return self._budget.announced_limit

    def traffic(self) -> Traffic:
        """Return what was sent and received so far."""
        return self._traffic

    def now(self) -> datetime:
        """Return the source's time of the first answer (UTC): the instant of this run. The local clock may be wrong.

        Asks /organizations when nothing was read yet.
        """
        if self._now is None:
            with suppress(BadRequest, Forbidden, NotFound):  # these, too, carry the date
                self._read("/organizations", (), answers.object_of)
        if self._now is None:
            raise ProtocolError("MaintainX sent no Date header: check what stands at MAINTAINX_URL", path="/organizations")
        return self._now

    def pages(self, path: str, items: str, params: Params = ()) -> Iterator[Page]:
        """Yield the pages of a list, following nextCursor with the same parameters until there is none.

        Args:
            path: below /v1.
            items: the key of the list in the envelope.
            params: all query parameters but `cursor`.

        Raises:
            EndlessWalk: a cursor or a page came twice, or the pages do not end.
            MaintainXError: as for `page`.
        """
        seen: set[str] = set()
        before: list[bytes] = []
        empty_pages = 0
        page = self.page(path, items, params)
        for _ in range(MOST_PAGES):
            yield page
            cursor, before = page.next_cursor, page.records or before
            if cursor is None:
                return
            if cursor in seen:
                raise EndlessWalk(f"GET {path} gave a cursor again after {len(seen)} pages: read it again later", path=path)
            seen.add(cursor)
            page = self.page(path, items, [*params, ("cursor", cursor)])
            empty_pages = 0 if page.records else empty_pages + 1
            if (page.records and page.records == before) or empty_pages > MOST_EMPTY_PAGES:
                raise EndlessWalk(f"GET {path} gave the same page again after {len(seen)} pages: read it again later", path=path)
        raise EndlessWalk(f"GET {path} did not end within {MOST_PAGES} pages", path=path)

    def page(self, path: str, items: str, params: Params = ()) -> Page:
        """Return one page of a list; of a MaintainX that refuses so large a page, a smaller one.

        Raises:
            Unauthorized: the token is refused.
            Forbidden: the token's user may not read this list.
            NotFound: there is no such list.
            BadRequest: MaintainX refused the request; the message says why.
            RateLimited: still 429 after waiting through many windows.
            Unavailable: MaintainX fails or cannot be reached.
            ProtocolError: the answer is no page of this list. Never to be read as an empty list.
        """
        if path in self.capabilities.missing:
            since = f"{self.capabilities.probed_at:%Y-%m-%d}" if self.capabilities.probed_at else "a day that is not known"
            message = f"{path} was not in the plan, or hidden from the token's user, on {since}; run `make probe` after a change"
            raise Forbidden(message, path=path)
        while True:
            largest = self._largest_page
            try:
                return self._read(path, _capped(params, largest), lambda answer: answers.page_of(answer, items))
            except BadRequest as error:
                smaller = smaller_page(error, params, largest)
                if smaller is None:
                    raise
                self._largest_page = smaller

    def get(self, path: str, params: Params = ()) -> dict[str, Any] | None:
        """Return one object, or None when MaintainX itself says that it does not exist (404).

        Raises:
            MaintainXError: as for `page`. A 404 without MaintainX's words, as a proxy sends it, is a ProtocolError.
        """
        try:
            return self._read(path, params, answers.object_of)
        except NotFound:
            return None

    def _read(self, path: str, params: Params, decode: Callable[[Answer], Decoded]) -> Decoded:
        failures: Counter[type] = Counter()
        while True:
            failure: TryAgain | MaintainXError
            try:
                return decode(self._exchange(path, params, failures.total()))
            except (TryAgain, MaintainXError) as caught:
                failure = caught
            if isinstance(failure, MaintainXError):
                raise bare(failure)
            failures[type(failure.error)] += 1
            if failures[type(failure.error)] >= failure.tries:
                raise bare(failure.error)
            self._pause(path, failure, failures.total())

    def _pause(self, path: str, failure: TryAgain, tries: int) -> None:
        self._count(retries=1)
        if failure.error.status == 429:
            return  # the budget waits, for all that share it
        seconds = self._backoff(tries) if failure.seconds is None else min(failure.seconds, LONGEST_WAIT)
        self._wait(seconds, f"another try, as GET {path} failed: {failure.why}")
        self._sleep(seconds)

    def _exchange(self, path: str, params: Params, tries: int) -> Answer:
        """Send one request and return its answer if it is a 200."""
        if self._most_requests is not None and self.requests >= self._most_requests:
            raise OutOfRequests(f"GET {path} was not sent: the {self._most_requests} requests that were allowed are used up", path=path)
        with self._budget.permit(self._wait) as permit:
            self._count(requests=1)
            try:
                with self._deadline.within(self._exchange_seconds):
                    answer = self._send(path, params, permit)
            except (httpx.TransportError, httpcore.TimeoutException) as failure:
                raise self._cut(path, failure) from None
            try:
                return answers.accepted(answer, self._token_variable)
            except TryAgain as failure:
                if answer.status == 429:
                    permit.refused(self._backoff(tries + 1) if failure.seconds is None else failure.seconds)
                raise

    def _send(self, path: str, params: Params, permit: Permit) -> Answer:
        with self._http.stream("GET", self._base + path, params=list(params)) as response:
            if response.status_code != 429:
                permit.observe(response.headers)
            is_read = response.is_stream_consumed  # by a transport that is no network
            body = response.content if is_read else answers.body_of(path, response.headers, self._chunks(response))
        self._count(bytes=len(body))
        if self._now is None and response.status_code < 500:
            self._now = answers.date_of(response.headers)
        return Answer(path, response.status_code, response.headers, body)

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        for chunk in response.iter_raw():
            self._deadline.left()
            yield chunk

    def _cut(self, path: str, failure: Exception) -> TryAgain:
        why = f"{type(failure).__name__}, {quoted(str(failure)) or 'no more is known'}"
        cut = answers.unavailable(path, why)
        if self._now is None:
            cut.tries = TRIES_NEVER_ANSWERED
        return cut

    def _backoff(self, tries: int) -> float:
        return min(LONGEST_BACKOFF, 0.5 * 2 ** (tries - 1)) * (0.5 + self._jitter() / 2)

    def _wait(self, seconds: float, why: str) -> None:
        self._count(waits=1, waited_seconds=seconds)
        self._on_wait(seconds, why)

    def _count(self, **more: float) -> None:
        with self._lock:
            self._traffic = replace(self._traffic, **{name: getattr(self._traffic, name) + n for name, n in more.items()})


def smaller_page(error: BadRequest, params: Params, largest: int | None) -> int | None:
    """Return the page size to ask for after a refusal: what it names, else half of what was asked; None: it is not about that."""
    asked = next((int(value) for name, value in _capped(params, largest) if name == "limit" and value.isdigit()), None)
    about = REFUSED_LIMIT.search(str(error))
    if asked is None or about is None:
        return None
    smaller = int(about[1]) if about[1] else asked // 2
    return smaller if SMALLEST_PAGE <= smaller < asked else None


def _capped(params: Params, largest: int | None) -> Params:
    return [(name, str(min(int(value), largest)) if name == "limit" and largest and value.isdigit() else value) for name, value in params]


def organisations(client: MaintainX) -> list[dict[str, Any]]:
    """Return the organisations that the token reads, as MaintainX describes them: id, name, timeZone, currency.

    Returns an empty list when MaintainX does not tell (403, 404).

    Raises:
        MaintainXError: as for `MaintainX.pages`.
    """
    try:
        return [json.loads(record) for page in client.pages("/organizations", "organizations") for record in page.records]
    except (Forbidden, NotFound):
        return []

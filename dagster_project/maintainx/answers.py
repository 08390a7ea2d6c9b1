"""From an HTTP answer to a page or an object, or to the reason why it is neither."""

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from dagster_project.maintainx.errors import (
    BadRequest,
    Forbidden,
    MaintainXError,
    NotFound,
    ProtocolError,
    RateLimited,
    Unauthorized,
    Unavailable,
    quoted,
)
from dagster_project.maintainx.pacing import number

LARGEST_BODY = 64 * 2**20  # bytes, decoded; a page of 200 work orders with all expands is about 0.5 MB
TRIES_RATE_LIMITED = 30  # each waits for the end of a window: half an hour in all
TRIES_UNAVAILABLE = 12  # about three minutes in all
TRIES_GARBLED = 5  # a cut body gets whole, a login page stays one

RETRY_IN = re.compile(r"retry in (\d+) second", re.IGNORECASE)  # so some endpoints say how long a 429 lasts
ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    records: list[bytes]  # each as MaintainX wrote it, in its order
    next_cursor: str | None  # None: the last page
    served_at: datetime  # the source's clock (UTC, whole seconds)
    bytes: int  # of the body, decoded


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer, its body decoded."""

    path: str
    status: int
    headers: httpx.Headers
    body: bytes


class TryAgain(Exception):
    """The same request may succeed later; `error` is what to raise when it has not after so many tries."""

    def __init__(self, error: MaintainXError, tries: int, why: str, *, seconds: float | None = None) -> None:
        super().__init__(why)
        self.error, self.tries, self.why, self.seconds = error, tries, why, seconds


def unavailable(path: str, why: str, *, status: int | None = None, seconds: float | None = None) -> TryAgain:
    """Return the request to try again what failed for a passing reason."""
    message = f"GET {path} failed: {why}. Run it again later; what was read before is kept"
    return TryAgain(Unavailable(message, path=path, status=status), TRIES_UNAVAILABLE, why, seconds=seconds)


def garbled(path: str, why: str) -> TryAgain:
    """Return the request to try again what answered 200 with something that is no JSON."""
    message = f"GET {path} answered {why}. Check what stands at MAINTAINX_URL, and whether a proxy stands between"
    return TryAgain(ProtocolError(message, path=path, status=200), TRIES_GARBLED, why)


def unexpected(path: str, why: str, status: int = 200) -> ProtocolError:
    """Return the error for an answer that MaintainX never gives."""
    return ProtocolError(f"GET {path} answered {why}. Check what stands at MAINTAINX_URL, and the API's changes", path=path, status=status)


def body_of(path: str, headers: httpx.Headers, chunks: Iterable[bytes]) -> bytes:
    """Return the whole body, unzipped, and never hold more than LARGEST_BODY of it.

    Raises:
        TryAgain: a zipped body was cut; with the right length httpx would not notice.
        ProtocolError: it is too large, or encoded in a way that we did not ask for.
    """
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise unexpected(path, f"with the content encoding {quoted(encoding)}, which was not asked for")
    unzip = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    for chunk in chunks:
        room = LARGEST_BODY - len(body) + 1
        try:
            body += unzip.decompress(chunk, room) if unzip else chunk
        except zlib.error:
            raise unavailable(path, "its zipped body is damaged") from None
        if len(body) > LARGEST_BODY:
            raise unexpected(path, f"with more than {LARGEST_BODY // 2**20} MiB")
    if unzip and not unzip.eof:
        raise unavailable(path, "its zipped body was cut")
    return bytes(body)


def accepted(answer: Answer, token_variable: str) -> Answer:
    """Return the answer if it is a 200.

    Raises:
        TryAgain: 429, 408, 425 and 5xx.
        MaintainXError: everything else, by its status.
    """
    path, status = answer.path, answer.status
    if status == 200:
        return answer
    if status == 429:
        error = RateLimited(f"GET {path} is still rate limited (429). Run it again later, or lower RATE_SHARE", path=path, status=status)
        raise TryAgain(error, TRIES_RATE_LIMITED, "status 429", seconds=_seconds_until_allowed(answer))
    if status >= 500 or status in {408, 425}:
        raise unavailable(path, f"status {status}", status=status, seconds=_retry_after(answer.headers))
    raise _refusal(answer, token_variable)


def _refusal(answer: Answer, token_variable: str) -> MaintainXError:
    path, status, said = answer.path, answer.status, _words(answer.body)
    if status == 401:
        message = f"MaintainX refused the token (401 on {path}): check the variable {token_variable}; the key may be expired or revoked"
        return Unauthorized(message, path=path, status=status)
    if status == 403:
        message = f"the token's user may not read {path} (403): {said or 'no reason given'}. Check his role and the MaintainX plan"
        return Forbidden(message, path=path, status=status)
    if status == 404 and said is not None:
        return NotFound(f"MaintainX has no {path} (404): {said}. Check MAINTAINX_URL and the MaintainX plan", path=path, status=status)
    if 400 <= status < 500 and status != 404:
        message = f"GET {path} was refused ({status}): {said or 'no reason given'}. Compare the request with /openapi.json of MaintainX"
        return BadRequest(message, path=path, status=status)
    where = " (a redirect, which is never followed: the token stays here)" if 300 <= status < 400 else ""
    return unexpected(path, f"status {status}{where} without MaintainX's words", status)


def _words(body: bytes) -> str | None:
    """Return what an error body says: {"error": …} or {"errors": [{"error": …, "fieldPath": …}]}; None: it is not MaintainX's."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(said, dict):
        return None
    errors = said.get("errors") if isinstance(said.get("errors"), list) else [said]
    return quoted("; ".join(" ".join(str(e[k]) for k in ("fieldPath", "error") if k in e) for e in errors if isinstance(e, dict)))


def _seconds_until_allowed(answer: Answer) -> float | None:
    seconds = number(answer.headers.get("x-rate-limit-reset"))
    seconds = _retry_after(answer.headers) if seconds is None else seconds
    if seconds is not None:
        return seconds
    said = RETRY_IN.search(_words(answer.body) or "")
    return float(said[1]) if said else None


def _retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that Retry-After asks to wait: a number, or an instant of the clock that the same answer shows."""
    asked, served = _instant(headers.get("retry-after")), date_of(headers)
    return max(0.0, (asked - served).total_seconds()) if asked and served else number(headers.get("retry-after"))


def date_of(headers: httpx.Headers) -> datetime | None:
    """Return the instant of the Date header (UTC); None when there is none that can be read."""
    return _instant(headers.get("date"))


def _instant(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def page_of(answer: Answer, items: str) -> Page:
    """Return the page that a list answered.

    Raises:
        TryAgain: the body is no JSON.
        ProtocolError: it is JSON, but no page of this list; never to be read as an empty one.
    """
    envelope = _envelope(answer)
    served_at = date_of(answer.headers)
    if served_at is None:
        raise unexpected(answer.path, "without a Date header, which is the clock of every run")
    return Page(_records(answer.path, envelope, items), _cursor(answer.path, envelope), served_at, len(answer.body))


def object_of(answer: Answer) -> dict[str, Any]:
    """Return the object that was answered, decoded.

    Raises:
        TryAgain: the body is no JSON.
        ProtocolError: it is no object, or nested beyond measure.
    """
    envelope = _envelope(answer)
    try:
        return {key: _value(value) for key, value in envelope.items()}
    except RecursionError:
        raise unexpected(answer.path, "JSON nested too deeply") from None


def _envelope(answer: Answer) -> dict[str, Any]:
    """Return the object's values: undecoded (msgspec.Raw), unless only the lenient reader can tell them apart."""
    try:
        return ENVELOPE.decode(answer.body)
    except msgspec.ValidationError:
        raise unexpected(answer.path, "JSON that is no object") from None
    except RecursionError:
        raise unexpected(answer.path, "JSON nested too deeply") from None
    except msgspec.DecodeError:
        return _lenient_envelope(answer)


def _lenient_envelope(answer: Answer) -> dict[str, Any]:
    """Read what strict JSON forbids (NaN, Infinity, a byte-order mark): one odd record must not cost its page."""
    try:
        envelope = json.loads(answer.body, strict=False)
    except RecursionError:
        raise unexpected(answer.path, "JSON nested too deeply") from None
    except ValueError:
        raise garbled(answer.path, "a body that is no JSON, or is cut" if answer.body.strip() else "an empty body") from None
    if not isinstance(envelope, dict):
        raise unexpected(answer.path, "JSON that is no object")
    return envelope


def _records(path: str, envelope: dict[str, Any], items: str) -> list[bytes]:
    if items not in envelope:
        raise unexpected(path, f"without the key {items} (it has: {quoted(', '.join(sorted(envelope))) or 'none'})")
    value = envelope[items]
    if isinstance(value, list):
        return [json.dumps(record).encode() for record in value]
    try:
        return [bytes(raw) for raw in ITEMS.decode(value)]
    except (msgspec.ValidationError, TypeError):
        raise unexpected(path, f"with a {items} that is no list") from None


def _cursor(path: str, envelope: dict[str, Any]) -> str | None:
    cursor = _value(envelope.get("nextCursor"))
    if cursor is not None and not isinstance(cursor, str):
        raise unexpected(path, f"with a nextCursor that is no text: {quoted(str(cursor))}")
    return cursor or None


def _value(value: Any) -> Any:
    return json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value

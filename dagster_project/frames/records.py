"""One record of the API: its key, its canonical form and hash, and whether it keeps the contract."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import xxhash

from dagster_project.frames.contract import Contract
from dagster_project.frames.schemas import Id, Record

PERSONAL_KEYS = frozenset({"email", "phoneNumber", "hourlyRate", "lastVisitedAt", "creatorContactInfo"})
SIGNED_URL_KEYS = frozenset({"url"})  # pre-signed for an hour: a secret, and different at every read
DEEPEST = 64  # objects and lists within each other; the API's own records have six at most
FREE_KEYS = frozenset({"extraFields"})  # labels are the customer's: never taken for keys of the API


class Key(msgspec.Struct, rename="camel"):
    """What must be readable of a record before anything else is: without an id it cannot be kept."""

    id: Id
    organization_id: float | int | None = None
    deleted_at: str | None = None


class OnlyId(msgspec.Struct):
    """The one field that a row must have to be told from others."""

    id: Id


class DuplicateKey(ValueError):
    """An object has a key twice: which of its values counts, nobody can say."""

    def __init__(self, key: str):
        super().__init__(f"the key {key!r} stands more than once in one object")
        self.key = key


class Rejected(msgspec.Struct, frozen=True):
    """Why a record went to quarantine; raw_json has no personal data in it."""

    record_id: int | None
    reason_code: str
    field: str | None
    value: str | None
    detail: str
    raw_json: str
    raw_hash: int


class Canonical(msgspec.Struct, frozen=True):
    """A record without personal data: sorted JSON, its content hash, and the keys it had."""

    payload: bytes
    content_hash: int
    keys: frozenset[str]


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LEFT_OUT = tuple(f'"{key}"'.encode() for key in sorted(PERSONAL_KEYS | SIGNED_URL_KEYS))
_ID = msgspec.json.Decoder(OnlyId)
_KEY = msgspec.json.Decoder(Key)
_DICT = msgspec.json.Decoder(dict)
_SORTED = msgspec.json.Encoder(order="sorted")


def id_of(raw: bytes) -> int | None:
    """Return the id of a record whose other fields may be unreadable; None when it has no usable one."""
    try:
        return _ID.decode(raw).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _id(raw)


def owner_of(raw: bytes) -> int | None:
    """Return the organisation that a record says it belongs to; None when it says nothing readable."""
    owner = (_leniently(raw) or {}).get("organizationId")
    return int(owner) if isinstance(owner, int | float) and owner > 0 else None


def raw_hash(raw: bytes) -> int:
    """Return xxh3 of some bytes, as a signed 64-bit integer."""
    return signed(xxhash.xxh3_64_intdigest(raw))


def signed(digest: int) -> int:
    """Return an unsigned 64-bit digest as the signed integer both warehouses can hold."""
    return digest - 2**64 if digest >= 2**63 else digest


def key(raw: bytes, organisation_id: int) -> Key | Rejected:
    """Return the record's key, or why it has none we can use (unreadable, no id, another organisation's)."""
    try:
        found = _KEY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return rejected(raw, "unreadable_key", str(error), *_named(error, raw), _id(raw))
    if found.organization_id not in (None, organisation_id):
        detail = f"organizationId is not {organisation_id}: the record belongs to another organisation"
        return rejected(raw, "wrong_organisation", detail, "organizationId", found.organization_id, found.id)
    return found


def canonical(raw: bytes, volatile: Iterable[str], keep_personal: bool) -> Canonical:
    """Return the record with sorted keys and without personal data; volatile fields stay, but are not hashed.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: not a JSON object, no valid Unicode, or nested too deep.
        DuplicateKey: an object, at any depth, has a key twice.
    """
    if nests_beyond(raw, DEEPEST):
        raise RecursionError(f"nested deeper than {DEEPEST} levels")
    record = _DICT.decode(raw)
    payload = _SORTED.encode(record)
    _check_keys(raw, payload)
    keys = frozenset(record)
    if not keep_personal and _may_be_personal(raw):
        record = without(record, PERSONAL_KEYS | SIGNED_URL_KEYS)
        payload = _SORTED.encode(record)
    hashed = {name: value for name, value in record.items() if name not in volatile and value is not None}
    if keep_personal:  # stored, yet different at every read
        hashed = without(hashed, SIGNED_URL_KEYS | {"lastVisitedAt"})
    is_whole = len(hashed) == len(record) and not keep_personal
    return Canonical(payload, raw_hash(payload if is_whole else _SORTED.encode(hashed)), keys)


def _may_be_personal(raw: bytes) -> bool:
    """Return whether a key that is left out occurs anywhere, or could be written with escapes: most records have none."""
    return b"\\u00" in raw or any(key in raw for key in _LEFT_OUT)


def nests_beyond(raw: bytes, levels: int) -> bool:
    """Return whether brackets of sound JSON nest deeper than so many levels; a record with fewer brackets costs two counts."""
    if raw.count(b"{") + raw.count(b"[") <= levels:
        return False
    brackets = _STRINGS.sub(b"", raw).translate(None, _NO_BRACKETS)
    for _ in range(levels):
        brackets = brackets.replace(b"{}", b"()").replace(b"[]", b"").replace(b"()", b"")
    return bool(brackets)


def _check_keys(raw: bytes, payload: bytes) -> None:
    """Raise DuplicateKey when decoding lost a key.

    Written again, the record has as many `":` as before: each key has one, and so have strings that hold an escaped
    quote and a colon. Only where that may not hold are the keys compared one by one, which costs ten times as much.
    """
    if raw.count(b'":') != payload.count(b'":') or _is_uncertain(raw):
        json.loads(raw, object_pairs_hook=_unique)


def _is_uncertain(raw: bytes) -> bool:
    """Return whether there is space before a colon, or a quote that is written otherwise."""
    return b" :" in raw or b"\n" in raw or b"\t" in raw or b"\r" in raw or b"\\u0022" in raw


def _unique(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise DuplicateKey(next(name for name in names if names.count(name) > 1))


def without(value: Mapping, dropped: frozenset[str]) -> dict:
    """Return a JSON object without the keys `dropped`, at any depth but inside custom fields."""
    return {
        name: inner if name in FREE_KEYS else _inside(inner, dropped)
        for name, inner in value.items()
        if name not in dropped
    }  # fmt: skip


def _inside(value: object, dropped: frozenset[str]) -> object:
    if isinstance(value, dict):
        return without(value, dropped)
    return [_inside(item, dropped) for item in value] if isinstance(value, list) else value


def validate(contract: Contract, payload: bytes, raw: bytes) -> Record | Rejected:
    """Return the record in its typed form, or why it breaks the contract (strict: 7.9, "7" and true are no integers)."""
    try:
        return contract.decoder.decode(payload)
    except msgspec.ValidationError as error:
        return rejected(raw, "type", str(error), *_named(error, payload), _id(payload))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return rejected(raw, "unreadable", str(error), record_id=_id(payload))


def rejected(  # noqa: PLR0917
    raw: bytes, reason: str, detail: str, field: str | None = None, value: object = None, record_id: int | None = None
) -> Rejected:
    """Return a quarantine entry; personal data is taken out of the raw JSON, and of the value when its key is personal."""
    is_hidden = value is None or (field or "").split(".")[-1] in PERSONAL_KEYS
    shown = None if is_hidden else str(_inside(value, PERSONAL_KEYS | SIGNED_URL_KEYS))[:200]
    return Rejected(record_id, reason, field, shown, detail[:500], _safe_json(raw), raw_hash(raw))


def _safe_json(raw: bytes) -> str:
    """Return the record as ASCII JSON without personal data; of what cannot even be parsed only its size, for it may hold some."""
    record = _leniently(raw)
    if record is None:
        return json.dumps({"unparsable_bytes": len(raw)})
    return json.dumps(without(record, PERSONAL_KEYS | SIGNED_URL_KEYS), sort_keys=True)


def _leniently(raw: bytes) -> dict[str, Any] | None:
    """Return the object that Python's own reader sees: it takes NaN and lone surrogates, which ours refuses."""
    try:
        record = json.loads(raw.decode("utf-8", "replace"))
        return without(record, frozenset()) if isinstance(record, dict) else None
    except (ValueError, RecursionError):
        return None


def _named(error: Exception, payload: bytes) -> tuple[str | None, object]:
    """Return the field that a validation error is about, and its value."""
    path = _path(str(error)) if isinstance(error, msgspec.ValidationError) else []
    return (".".join(map(str, path)), _at(payload, path)) if path else (None, None)


def _path(message: str) -> list[str | int]:
    """Return the path inside a msgspec message: "Expected `int`, got `str` - at `$.assignees[0].id`"."""
    found = re.search(r"at `\$(.*)`", message)
    missing = re.search(r"missing required field `(\w+)`", message)
    parts = re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", found.group(1)) if found else []
    path: list[str | int] = [name or (int(index) if index.isdigit() else 0) for name, index in parts]
    return [*path, missing.group(1)] if missing else path


def _at(payload: bytes, path: list[str | int]) -> object:
    value: object = _leniently(payload)
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _id(payload: bytes) -> int | None:
    found = (_leniently(payload) or {}).get("id")
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**63 else None

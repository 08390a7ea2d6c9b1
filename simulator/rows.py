"""The encoded rows of one collection of one organisation, with sort orders that are kept up to date."""

from bisect import bisect_left, insort
from datetime import datetime
from itertools import count

import msgspec

from simulator.instants import from_datetime

_ID_BITS = 64
_ID_MASK = (1 << _ID_BITS) - 1
NULL_KEY = 1 << 53  # later than any instant: Postgres puts nulls last when ascending
_SERIALS = count()
_REBUILD_ABOVE = 2_000  # changed rows; beyond it sorting anew is cheaper than moving keys one by one


class SortKeys(msgspec.Struct):
    """What a row can be sorted by."""

    id: int
    createdAt: datetime | None = None  # noqa: N815 - the API's own names
    updatedAt: datetime | None = None  # noqa: N815
    dueDate: datetime | None = None  # noqa: N815
    startDate: datetime | None = None  # noqa: N815
    startedAt: datetime | None = None  # noqa: N815
    endedAt: datetime | None = None  # noqa: N815
    completedAt: datetime | None = None  # noqa: N815


_keys_of = msgspec.json.Decoder(SortKeys).decode


def pack(value: int | None, record_id: int) -> int:
    """Return one integer that sorts by the value (milliseconds; null is largest), then by the id."""
    return ((NULL_KEY if value is None else value) << _ID_BITS) | record_id


def id_of(key: int) -> int:
    """Return the record id of a packed sort key."""
    return key & _ID_MASK


def value_of(key: int) -> int | None:
    """Return the milliseconds of a packed sort key, None for a null."""
    value = key >> _ID_BITS
    return None if value == NULL_KEY else value


class Rows:
    """Current rows by id as JSON bytes, and ascending packed sort keys per field."""

    def __init__(self) -> None:
        self.encoded: dict[int, bytes] = {}
        self.started: dict[int, int] = {}  # work orders sort by a start that no field of theirs shows
        self.serial = next(_SERIALS)  # tells it from any other, also from one that is gone
        self.generation = 0
        self._orders: dict[str, list[int]] = {}
        self._stale: dict[int, bytes | None] = {}

    def store(self, record_id: int, encoded: bytes | None) -> None:
        """Replace the row; None removes it."""
        if self._orders:
            self._stale.setdefault(record_id, self.encoded.get(record_id))
        self.generation += 1
        if encoded is None:
            self.encoded.pop(record_id, None)
        else:
            self.encoded[record_id] = encoded

    def key(self, field: str, encoded: bytes) -> int:
        """Return the packed sort key of one row."""
        keys = _keys_of(encoded)
        if field == "id":
            return pack(keys.id, keys.id)
        if field == "startedAt" and keys.id in self.started:
            return pack(self.started[keys.id], keys.id)
        instant = getattr(keys, field)
        return pack(None if instant is None else from_datetime(instant), keys.id)

    def order(self, field: str) -> list[int]:
        """Return the packed sort keys of all rows, ascending; the caller must not change the list."""
        self._refresh()
        if field not in self._orders:
            self._orders[field] = sorted(self.key(field, encoded) for encoded in self.encoded.values())
        return self._orders[field]

    def _refresh(self) -> None:
        if not self._stale:
            return
        # the old start of a work order is not in its old row, so that order cannot be mended
        self._orders.pop("startedAt", None)
        if len(self._stale) > max(_REBUILD_ABOVE, len(self.encoded) // 50):
            self._orders.clear()
        for field, keys in self._orders.items():
            for record_id, before in self._stale.items():
                self._move(field, keys, before, self.encoded.get(record_id))
        self._stale.clear()

    def _move(self, field: str, keys: list[int], before: bytes | None, after: bytes | None) -> None:
        if before is not None:
            del keys[bisect_left(keys, self.key(field, before))]
        if after is not None:
            insort(keys, self.key(field, after))

"""A world of records that change at instants: current rows, every version, and the events still to come."""

import gc
import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from simulator.history import Version
from simulator.instants import from_datetime, iso, to_datetime
from simulator.rows import Rows

Record = dict[str, Any]

TABLES = (
    "organizations", "locations", "users", "teams", "categories", "vendors", "parts", "asset_criticalities", "assets", "asset_statuses",
    "meters", "maintenance_plans", "purchase_orders", "work_orders", "work_requests", "rca_reports",
)  # fmt: skip

# A null of these is sent; any other null is left out of the row.
# fmt: off
REQUIRED_NULLS: dict[str, frozenset[str]] = {
    "assets": frozenset({"description", "parentId", "criticalityId", "locationId", "serialNumber", "creatorId"}),
    "parts": frozenset({"description", "barcode", "locationId", "area", "unitCost"}),
    "rca_reports": frozenset(
        {"mainAssetStatusId", "updatedAt", "completedAt", "incidentStartedAt", "incidentEndedAt", "incidentDuration", "repairTime", "notes",
         "updaterId", "archivedAt"}
    ),
    "maintenance_plans": frozenset(
        {"startDate", "workOrderStartDatePadding", "workOrderStartDateOffset", "workOrderStartDateFixedDay", "blueprintEstimatedTime",
         "nextCycleOccurrence", "nextScheduledWorkOrderDueDate", "lastPlannedDueDate", "nextWorkOrderGenerationAt",
         "lastWorkOrderGeneratedAt", "updatedAt", "archivedAt"}
    ),
}
# fmt: on
_CLOSED = frozenset({"DONE", "CANCELED", "SKIPPED"})
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Table:
    """One collection of one organisation."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.live: dict[int, Record] = {}  # decoded records that are likely to change again
        self.hidden: dict[int, Record] = {}  # what only the single read, or a filter, knows
        self.deleted: dict[int, bytes] = {}  # the last row of each deleted record

    def get(self, record_id: int) -> Record | None:
        """Return the record as it stands; a change made to it is not stored."""
        if record_id in self.live:
            return self.live[record_id]
        encoded = self.rows.encoded.get(record_id)
        return None if encoded is None else _decode(encoded)


class World:
    """Records by table and organisation, their history, a clock, and a queue of events.

    Args:
        now: the instant at which the world starts, in milliseconds since 1970.
        keep_versions: keep every version of every record; without, only the current rows are kept.
        seed: what its chance was drawn from.
        scale: how large it is.
        is_recorded: its rows are not made up, and are served as they are.
    """

    def __init__(self, now: int, *, keep_versions: bool = True, seed: int = 0, scale: float = 1.0, is_recorded: bool = False) -> None:
        self.now = now
        self.started_at = now
        self.seed = seed
        self.scale = scale
        self.is_recorded = is_recorded
        self.keeps_versions = keep_versions
        self.changes: Counter[str] = Counter()
        self._tables: dict[tuple[str, int], Table] = defaultdict(Table)
        self._history: dict[str, list[tuple[int, int, int, bytes | None]]] = {name: [] for name in TABLES}
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._scheduled = 0

    @property
    def instant(self) -> datetime:
        """The world's clock as a UTC datetime."""
        return to_datetime(self.now)

    @property
    def organisations(self) -> list[int]:
        """The ids of the organisations, ascending."""
        return sorted(organisation for name, organisation in list(self._tables) if name == "organizations")

    def table(self, name: str, organisation_id: int) -> Table:
        """Return one collection of one organisation."""
        return self._tables[name, organisation_id]

    def get(self, name: str, organisation_id: int, record_id: int) -> Record | None:
        """Return a record as it stands, None when there is none."""
        return self._tables[name, organisation_id].get(record_id)

    def add(self, name: str, organisation_id: int, record: Record) -> None:
        """Store a new record as of now; optional nulls are left out."""
        required = REQUIRED_NULLS.get(name, frozenset())
        kept = {key: value for key, value in record.items() if value is not None or key in required}
        self.changes[f"{name} created"] += 1
        self._store(name, organisation_id, kept["id"], kept)

    def change(self, name: str, organisation_id: int, record_id: int, /, **fields: Any) -> None:
        """Change fields as of now and move updatedAt; a None removes an optional field."""
        self.changes[f"{name} updated"] += 1
        self._apply(name, organisation_id, record_id, {"updatedAt": iso(self.now), **fields})

    def whisper(self, name: str, organisation_id: int, record_id: int, /, **fields: Any) -> None:
        """Change fields as of now without moving updatedAt, as time entries, costs and comments do."""
        self.changes[f"{name} changed silently"] += 1
        self._apply(name, organisation_id, record_id, fields)

    def delete(self, name: str, organisation_id: int, record_id: int) -> None:
        """Remove a record as of now."""
        table = self._tables[name, organisation_id]
        table.live.pop(record_id, None)
        table.deleted[record_id] = table.rows.encoded[record_id]
        table.rows.store(record_id, None)
        self.changes[f"{name} deleted"] += 1
        if self.keeps_versions:
            self._history[name].append((organisation_id, record_id, self.now, None))

    def restore(self, name: str, organisation_id: int, record_id: int, /, **fields: Any) -> None:
        """Bring a deleted record back as of now, as it was but for `fields`; updatedAt moves only when it is among them."""
        self.changes[f"{name} restored"] += 1
        record = _decode(self._tables[name, organisation_id].deleted.pop(record_id))
        self._store(name, organisation_id, record_id, record | fields)

    def versions(self, name: str) -> Iterator[Version]:
        """Yield every version of every record of a table, in the order in which they came about.

        Of equal instants the later one counts. A record is its list row with every expand of its own: not the asset, location and
        request that a list can embed; a team carries its members, a meter its assetId and locationId; lastVisitedAt is made up
        when it is read and in none.

        Raises:
            RuntimeError: the world is too large to keep its history.
        """
        for organisation_id, record_id, at, encoded in self.history(name):
            yield Version(organisation_id, name, record_id, to_datetime(at), None if encoded is None else _decode(encoded))

    def current(self, name: str) -> Iterator[Version]:
        """Yield every record of a table as it stands, as a version of now; this a world of any size can tell."""
        for organisation_id in self.organisations:
            for record_id, encoded in self._tables[name, organisation_id].rows.encoded.items():
                yield Version(organisation_id, name, record_id, self.instant, _decode(encoded))

    def history(self, name: str) -> list[tuple[int, int, int, bytes | None]]:
        """Return the versions undecoded: (organisation, id, milliseconds, JSON or None), in order of time."""
        if not self.keeps_versions:
            raise RuntimeError(f"the history of {name} was not kept: the world has scale {self.scale:g}, above what fits in memory")
        return self._history[name]

    def schedule(self, at: int, happening: Callable[..., None], *details: Any) -> None:
        """Let `happening(*details)` happen at the instant `at`, or now if that is past."""
        self._scheduled += 1
        heapq.heappush(self._events, (max(at, self.now), self._scheduled, happening, details))

    def clear(self) -> None:
        """Let nothing happen any more but what somebody does to it."""
        self._events.clear()

    def run_until(self, until: int) -> Counter[str]:
        """Let everything happen that is due up to `until`, set the clock to it, and return the counts of changes by kind.

        How a span is cut into calls makes no difference: events happen in order of time, and chance is drawn inside them.
        """
        before = Counter(self.changes)
        collecting = gc.isenabled()
        gc.disable()  # a million small objects that all stay: collecting took a third of the time
        try:
            while self._events and self._events[0][0] <= until:
                self.now, _, happening, details = heapq.heappop(self._events)
                happening(*details)
        finally:
            if collecting:
                gc.enable()
        self.now = max(self.now, until)
        return self.changes - before

    def advance(self, span: timedelta) -> Counter[str]:
        """Move the clock on by a span and return the counts of changes by kind."""
        return self.run_until(self.now + from_datetime(to_datetime(0) + span))

    def counts(self) -> dict[str, int]:
        """Return the number of current records per table."""
        totals = dict.fromkeys(TABLES, 0)
        for (name, _), table in self._tables.items():
            totals[name] += len(table.rows.encoded)
        return totals

    def _apply(self, name: str, organisation_id: int, record_id: int, fields: Record) -> None:
        record = self._tables[name, organisation_id].get(record_id)
        if record is None:
            raise KeyError(f"{name} {record_id} of organisation {organisation_id} does not exist")
        required = REQUIRED_NULLS.get(name, frozenset())
        for key, value in fields.items():
            if value is None and key not in required:
                record.pop(key, None)
            else:
                record[key] = value
        self._store(name, organisation_id, record_id, record)

    def _store(self, name: str, organisation_id: int, record_id: int, record: Record) -> None:
        table = self._tables[name, organisation_id]
        encoded = _encode(record)
        if _is_over(name, record):
            table.live.pop(record_id, None)
        else:
            table.live[record_id] = record
        table.rows.store(record_id, encoded)
        if self.keeps_versions:
            self._history[name].append((organisation_id, record_id, self.now, encoded))


def _is_over(name: str, record: Record) -> bool:
    """Whether the record will hardly change again, so that its bytes are enough."""
    match name:
        case "work_orders":
            return record["status"] in _CLOSED
        case "work_requests":
            return record["requestStatus"] in {"DONE", "REJECTED"}
        case "asset_statuses":
            return "endedAt" in record
    return name == "parts"

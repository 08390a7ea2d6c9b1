"""The log beside the simulator's truth: what is lost, double, stale, a ghost or falsely deleted, and how long a change took to arrive."""

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.instants import HOUR, MINUTE, parse
from simulator.world import World

TABLES = tuple(endpoint.table for endpoint in ENDPOINTS)
OVERLAP = 3 * HOUR  # of the incremental readings
_FIELDS = (
    "updatedAt", "createdAt", "title", "name", "label", "description", "priority", "status", "locationId", "endedAt", "requestStatus",
    "timeItems", "expenditures", "members",
)  # fmt: skip
_SHOWN = {  # where the list row has less, or in another form
    "meters": ("name", "unit", "lastReading"),
    "assets": tuple(name for name in _FIELDS if name != "status"),
}
_decode = msgspec.json.Decoder().decode


def facts(table: str, record: dict[str, Any]) -> tuple:
    """Return what two readings of one record must agree on; an empty list is as good as none."""
    shown = record | {"members": sorted(record.get("members", ()), key=itemgetter("id"))}
    return tuple(shown.get(name) or None for name in _SHOWN.get(table, _FIELDS))


@dataclass(slots=True)
class Differences:
    """How many records of the log differ from the truth, at one instant."""

    lost: int = 0  # the source has it, the log does not
    double: int = 0  # a version that says what the one before it said, or a key twice
    stale: int = 0  # the log says something else
    ghost: int = 0  # the log has it, the source does not
    falsely_deleted: int = 0  # buried though the source had it all the time

    @property
    def is_clean(self) -> bool:
        """Tell whether there are none."""
        return self == Differences()


@dataclass(slots=True)
class _Change:
    kind: str
    at: int


@dataclass(slots=True)
class Watch:
    """Follows a world and the log of one organisation, from one look to the next."""

    world: World
    organisation_id: int
    warehouse: DuckDBWarehouse
    falsely_deleted: int = 0
    healed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # kind → hours
    _read: Counter[str] = field(default_factory=Counter)  # of each table's history
    _known: dict[tuple[str, int], int | None] = field(default_factory=dict)  # updatedAt of each record, None: deleted
    _open: dict[tuple[str, int], list[_Change]] = field(default_factory=lambda: defaultdict(list))
    _buried: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Take what has happened so far for granted: a first load reads it."""
        for table in TABLES:
            for _ in self._news(table):
                pass

    def look(self) -> Differences:
        """Compare, and note which changes have arrived since the last look."""
        found = Differences()
        for table in TABLES:
            absent = self._absent(table)
            for change, record_id in self._news(table):
                self._open[table, record_id].append(change)
                absent |= {record_id} if change.kind == "deleted" else set()
            truth, log = self._truth(table), self._log(table)
            found.lost += len(truth.keys() - log.keys())
            found.ghost += len(log.keys() - truth.keys())
            found.stale += sum(truth[each] != log[each] for each in truth.keys() & log.keys())
            found.double += self._doubles(table)
            self._settle(table, truth, log)
            self.falsely_deleted += len(self._newly_buried(table) - absent)
        found.falsely_deleted = self.falsely_deleted
        return found

    def waiting(self) -> Counter[str]:
        """Return the changes that have not arrived, by kind."""
        return Counter(change.kind for changes in self._open.values() for change in changes)

    def figures(self) -> list[tuple[str, int, float, float, float, int]]:
        """Return kind, changes that arrived, hours until then (median, 95th percentile, longest) and changes still waiting."""
        waiting = self.waiting()
        rows = []
        for kind in sorted(self.healed.keys() | waiting.keys()):
            hours = sorted(self.healed.get(kind, []))
            high = hours[min(len(hours) - 1, int(len(hours) * 0.95))] if hours else 0.0
            rows.append((kind, len(hours), statistics.median(hours or [0.0]), high, max(hours, default=0.0), waiting[kind]))
        return rows

    def _truth(self, table: str) -> dict[int, tuple]:
        rows = self.world.table(table, self.organisation_id).rows.encoded
        return {record_id: facts(table, _decode(encoded)) for record_id, encoded in rows.items()}

    def _log(self, table: str) -> dict[int, tuple]:
        rows = self.warehouse.query(
            f"select id, payload from raw.{table} join raw.{table}_latest l using (organisation_id, id, version_number) "
            "where organisation_id = ? and not l.is_deleted",
            [self.organisation_id],
        ).rows()
        return {record_id: facts(table, _decode(payload)) for record_id, payload in rows}

    def _absent(self, table: str) -> set[int]:
        return {record_id for (name, record_id), stamp in self._known.items() if name == table and stamp is None}

    def _news(self, table: str) -> list[tuple[_Change, int]]:
        history = self.world.history(table)
        news = history[self._read[table] :]
        self._read[table] = len(history)
        return [
            (_Change(self._kind(table, record_id, at, encoded), at), record_id)
            for owner, record_id, at, encoded in news
            if owner == self.organisation_id
        ]

    def _kind(self, table: str, record_id: int, at: int, encoded: bytes | None) -> str:
        key = table, record_id
        is_new, before = key not in self._known, self._known.get(key)
        stamp = None if encoded is None else _stamp(encoded)
        self._known[key] = None if encoded is None else stamp or at
        if encoded is None:
            return "deleted"
        if is_new or before is None:
            return "created" if is_new else "restored"
        if stamp is None or stamp == before:
            return "changed silently"
        if stamp < before:
            return "stamp went back"
        if at - stamp > OVERLAP:
            return "committed after the overlap"
        return "committed late" if at - stamp > MINUTE else "changed"

    def _settle(self, table: str, truth: dict[int, tuple], log: dict[int, tuple]) -> None:
        for key in [key for key in self._open if key[0] == table and truth.get(key[1]) == log.get(key[1])]:
            for change in self._open.pop(key):
                self.healed[change.kind].append((self.world.now - change.at) / HOUR)

    def _doubles(self, table: str) -> int:
        return self.warehouse.query(
            f"""select count(*) filter (again) as n from (
                select (content_hash = lag(content_hash) over life and is_deleted = lag(is_deleted) over life and cause <> 'shape')
                    or version_number = lag(version_number) over life as again
                from raw.{table} where organisation_id = ? window life as (partition by id order by version_number))""",
            [self.organisation_id],
        )["n"].item()

    def _newly_buried(self, table: str) -> set[int]:
        rows = self.warehouse.query(
            f"select id from raw.{table} where organisation_id = ? and is_deleted order by all", [self.organisation_id]
        )["id"].to_list()
        counts = Counter(rows)
        new = {each for each, count in counts.items() if count > self._buried[f"{table} {each}"]}
        self._buried.update({f"{table} {each}": count - self._buried[f"{table} {each}"] for each, count in counts.items()})
        return new


def _stamp(encoded: bytes) -> int | None:
    text = _decode(encoded).get("updatedAt")
    return parse(text) if isinstance(text, str) else None

"""One organisation of a small simulated world, and the log that we keep of it."""

import json
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from dagster_project import reconcile, sync
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.sync import EndpointReport, Run
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.api import Response, Simulator
from simulator.instants import HOUR, from_datetime, iso, parse
from simulator.options import Options
from simulator.transport import transport
from simulator.world import World

START = from_datetime(datetime(2026, 11, 16, 6, tzinfo=UTC))
ORGANISATIONS = count(1000)  # each test its own: one warehouse serves them all


class SmallPages(Simulator):
    """A MaintainX that gives at most so many rows a page, can send other bytes than it has, and may not know an expand."""

    cap = 200
    rewritten: tuple[bytes, bytes] = (b"", b"")
    unknown_expand: str | None = None
    ignored: tuple[str, ...] = ()  # parameters that it takes and does not honour
    filter_step = 1  # milliseconds: date filters know no finer instants
    earlier = 0  # milliseconds by which lists begin too early

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        if ("expand", self.unknown_expand) in query:
            known = json.dumps({"error": f"'{self.unknown_expand}' is not a member of assignees,categories"})
            return Response(400, {}, known.encode())
        capped = [(name, str(min(int(value), self.cap)) if name == "limit" else value) for name, value in query]
        asked = [(name, self._coarse(name, value)) for name, value in capped if name not in self.ignored]
        response = super().respond(method, path, asked, headers, body)
        if self.rewritten[0]:
            response.body = response.body.replace(*self.rewritten)
        return response

    def _coarse(self, name: str, value: str) -> str:
        if not name.endswith(("[gte]", "[lte]")):
            return value
        at = parse(value) - (self.earlier if name.endswith("[gte]") else 0)
        return iso(at - at % self.filter_step)


@dataclass
class Plant:
    """One organisation of a small world, and the log that we keep of it."""

    warehouse: DuckDBWarehouse
    cap: int = 200
    options: Options = field(default_factory=Options)
    seconds: float = 0.0  # slept so far
    silent: set[int] = field(default_factory=set)  # changed since updatedAt last moved
    runs: Any = field(default_factory=count)
    clock: Callable[[], float] | None = None  # ours, monotonic; None: it goes on while we sleep

    def __post_init__(self) -> None:
        self.world, self.organisation = World(START), next(ORGANISATIONS)
        self.world.add("organizations", self.organisation, {"id": self.organisation, "name": "Plant"})
        self.simulator = SmallPages(self.world, self.options)
        self.simulator.cap = self.cap

    def orders(self, ids: Iterable[int], *, updated: int | None = None, **more: Any) -> None:
        """Add orders, each created an hour after the one before and updated then, or at `updated`."""
        for id_ in ids:
            created = START - 400 * HOUR + id_ * HOUR
            self.add_order(id_, created, updated or created, **more)

    def add_order(self, id_: int, created: int, updated: int, table: str = "work_orders", **more: Any) -> None:
        """Add one order as the list gives it, or an asset that has some keys more."""
        record = {
            "id": id_, "sequentialId": id_, "title": f"order {id_}", "status": "OPEN", "type": "REACTIVE", "priority": "LOW", "assetId": 1,
            "organizationId": self.organisation, "createdAt": iso(created), "updatedAt": iso(updated), **more,
        }  # fmt: skip
        self.world.add(table, self.organisation, {"name": record["title"], **record} if table == "assets" else record)

    def locations(self, ids: Iterable[int]) -> None:
        """Add locations."""
        for id_ in ids:
            self.world.add("locations", self.organisation, {"id": id_, "name": f"place {id_}"})

    def change(self, table: str, id_: int, **fields: Any) -> None:
        """Change a record as of now, updatedAt with it."""
        self.silent.discard(id_)
        self.world.change(table, self.organisation, id_, **fields)

    def change_all(self, ids: Iterable[int], title: str, table: str = "work_orders") -> None:
        """Change the title of several records in one instant."""
        for id_ in ids:
            self.change(table, id_, **{"title" if table != "assets" else "name": title})

    def whisper(self, table: str, id_: int, **fields: Any) -> None:
        """Change a record as of now; updatedAt stays, unless it is among the fields."""
        (self.silent.discard if "updatedAt" in fields else self.silent.add)(id_)
        self.world.whisper(table, self.organisation, id_, **fields)

    def delete(self, table: str, id_: int) -> None:
        """Delete a record."""
        self.silent.discard(id_)
        self.world.delete(table, self.organisation, id_)

    def source(self) -> MaintainX:
        """Return a client that never really waits."""
        token = f"demo-{self.organisation}"
        return MaintainX(
            "http://mx/v1", token, transport=transport(self.simulator), clock=self.clock or (lambda: self.seconds), sleep=self.sleep
        )

    def sleep(self, seconds: float) -> None:
        """Let the client's clock go on."""
        self.seconds += seconds

    @contextmanager
    def run(self) -> Generator[tuple[MaintainX, Run]]:
        """Give a client and a run of its own."""
        with self.source() as source:
            yield source, Run(f"run-{next(self.runs)}", self.organisation, source.now())

    def sync(self, table: str = "work_orders") -> EndpointReport:
        """Sync one endpoint once."""
        with self.run() as (source, run):
            return sync.sync(BY_TABLE[table], source, self.warehouse, run)

    def reconcile(self, table: str = "work_orders", is_full: bool = True, accepted: Iterable[str] = ()) -> reconcile.Comparison:
        """Reconcile one endpoint once; what is not full has hardly a request to spend."""
        with self.run() as (source, run):
            accepting = replace(run, accepted=frozenset(accepted))
            return reconcile.reconcile(BY_TABLE[table], source, self.warehouse, accepting, is_full, requests_a_day=0)

    def truth(self, table: str = "work_orders") -> dict[int, tuple]:
        """Return what the source says now, by id."""
        encoded = self.world.table(table, self.organisation).rows.encoded
        return {id_: content(json.loads(raw)) for id_, raw in encoded.items()}

    def log(self, table: str = "work_orders") -> dict[int, tuple]:
        """Return what the log says is live, by id."""
        rows = self.warehouse.query(
            f"select v.id, payload from raw.{table} v join raw.{table}_latest l using (organisation_id, id, version_number) "
            "where organisation_id = ? and not l.is_deleted",
            [self.organisation],
        ).rows()
        assert len(rows) == len(dict(rows))
        return {id_: content(json.loads(payload)) for id_, payload in rows}

    def versions(self, id_: int, table: str = "work_orders") -> list[tuple[int, str, bool]]:
        """Return number, cause and is_deleted of each version of a record."""
        found = f"select version_number, cause, is_deleted from raw.{table} where organisation_id = ? and id = ? order by 1"
        return self.warehouse.query(found, [self.organisation, id_]).rows()

    def quarantine(self) -> list[tuple]:
        """Return id, reason, status and times seen of the rows in quarantine."""
        found = "select record_id, reason_code, status, times_seen from ops.quarantine where organisation_id = ? order by all"
        return self.warehouse.query(found, [self.organisation]).rows()

    def drift(self) -> list[tuple]:
        """Return kind, field and value of what the source said that the contract does not know."""
        found = "select kind, field, value from ops.drift where organisation_id = ? order by all"
        return self.warehouse.query(found, [self.organisation]).rows()

    def watermark(self, table: str = "work_orders") -> datetime | None:
        """Return the endpoint's watermark."""
        return self.warehouse.states(self.organisation, table)[""].watermark


def content(record: dict[str, Any]) -> tuple:
    """Return what two readings of one record must agree on."""
    times = sum(item.get("durationTotal", 0) for item in record.get("timeItems", []))
    return record.get("title", record.get("name")), record.get("updatedAt"), record.get("createdAt"), times

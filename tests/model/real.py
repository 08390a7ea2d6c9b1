"""The real sync and reconciliation, on a DuckDB in memory, over the real client."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

import msgspec
import pytest

from dagster_project import first_load, labour, reconcile, sync, walk
from dagster_project.breakers import Breaker
from dagster_project.frames import flatten
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import BY_TABLE, Endpoint
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.visit import Run
from dagster_project.walk import Slice
from dagster_project.warehouse.base import BatchSize
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.instants import from_datetime, parse
from simulator.transport import transport
from tests.model.naive import Algorithm, Content, Failed
from tests.model.source import Source

HISTORIES = 250  # in one warehouse


class Laboratory(ExitStack):
    """Warehouses in memory, each for some hundred histories; batches and slices are as small as the source."""

    def __enter__(self) -> "Laboratory":
        """Make everything small."""
        super().__enter__()
        small = self._small = self.enter_context(pytest.MonkeyPatch.context())
        small.setattr(flatten, "broken_rules", lambda *_: {})  # no row of the model breaks one; it took a third of the time
        small.setattr(walk, "side_by_side", in_turn)
        self._warehouses = ExitStack()
        self.push(self._warehouses)
        self._used = count()
        return self

    def real(self, source: Source) -> "Real":
        """Return the real algorithm for one history."""
        if next(self._used) % HISTORIES == 0:
            self._warehouses.close()
            self.warehouse = self._warehouses.enter_context(DuckDBWarehouse.in_memory())
            self.warehouse.execute("set threads = 1")  # there is nothing to share out
        self._small.setattr(DuckDBWarehouse, "batch", BatchSize(source.setting.batch, 2**24, 30.0))
        self._small.setattr(first_load, "SLICE_ROWS", source.setting.batch - 1)
        return Real(source, self.warehouse)


def in_turn(parts: Sequence[Slice], read: Callable[[Slice], Iterator[Page]], workers: int = 4) -> Generator[tuple[Slice, Page | None]]:
    """Yield the pages of several walks in turn: as `side_by_side`, but in an order that is the same every time."""
    running = [(part, iter(read(part))) for part in parts]
    while running:
        part, pages = running.pop(0)
        page = next(pages, None)
        yield part, page
        if page is not None:
            running.insert(workers - 1, (part, pages))


class Real(Algorithm):
    """What the project does."""

    has_sweep = keeps_up = True

    def __init__(self, source: Source, warehouse: DuckDBWarehouse) -> None:
        self.source, self.warehouse = source, warehouse
        self.table, self.organisation = source.setting.table, source.organisation
        self.sweeps_labour = self.table == labour.TABLE
        self._runs, self._seconds = count(), 0.0
        self._latest: list[tuple[int, str, bool]] = []
        self._watermark: int | None = None

    def sync(self, accepted: frozenset[str] = frozenset()) -> None:
        with self.run(accepted) as (client, run):
            sync.sync(self.endpoint, client, self.warehouse, run)

    def rest(self) -> None:
        self.sync(accepted=frozenset({self.table}))

    def sweep(self, scope: str = "full") -> None:
        with self.run() as (client, run):
            if scope == "labour" and self.sweeps_labour:
                labour.sweep(self.endpoint, client, self.warehouse, run)
            else:
                reconcile.reconcile(self.endpoint, client, self.warehouse, run, is_full=scope == "full")

    def settle(self) -> None:
        with self.run(accepted=frozenset({self.table})) as (client, run):
            reconcile.reconcile(self.endpoint, client, self.warehouse, run, is_full=True)

    @property
    def endpoint(self) -> Endpoint:
        """The collection that is read."""
        return BY_TABLE[self.table]

    @contextmanager
    def run(self, accepted: frozenset[str] = frozenset()) -> Generator[tuple[MaintainX, Run]]:
        """Give a client and a run of its own."""
        token = f"demo-{self.organisation}"
        try:
            with MaintainX(
                "http://mx/v1", token, transport=transport(self.source.simulator), clock=lambda: self._seconds, sleep=self._sleep
            ) as client:
                yield client, Run(f"run-{next(self._runs)}", self.organisation, client.now(), accepted=accepted)
        except (MaintainXError, Breaker) as error:
            raise Failed(f"{type(error).__name__}: {error}") from error

    def _sleep(self, seconds: float) -> None:
        self._seconds += seconds

    def live(self) -> list[tuple[int, Content]]:
        return [(id_, content_of(payload)) for id_, payload, is_deleted in self._latest if not is_deleted]

    def deleted(self) -> set[int]:
        return {id_ for id_, _, is_deleted in self._latest if is_deleted}

    def look(self) -> None:
        found = self.warehouse.connection.execute(
            f"""select id, payload, l.is_deleted from raw.{self.table} v join raw.{self.table}_latest l
            using (organisation_id, id, version_number) where organisation_id = ?""",
            [self.organisation],
        )
        self._latest = found.fetchall()

    def check(self) -> None:
        self._check_versions()
        self._check_watermark()
        self._check_children()

    def _check_versions(self) -> None:
        """Versions are numbered from 1 without a gap, and the newest is the latest."""
        wrong = self.warehouse.connection.execute(
            f"""select id, list(v.version_number order by v.version_number) as numbers, any_value(l.version_number) as latest
            from raw.{self.table} v full join raw.{self.table}_latest l using (organisation_id, id) where organisation_id = ?
            group by id having numbers <> range(1, latest + 1) or latest is null""",
            [self.organisation],
        ).fetchall()
        assert not wrong, f"versions of a record (id, numbers, latest): {wrong}"

    def _check_watermark(self) -> None:
        """The watermark never goes back, nor past what is stored once the first load is complete."""
        found = self.warehouse.connection.execute(
            "select watermark from ops.state where organisation_id = ? and endpoint = ? and slice = ''", [self.organisation, self.table]
        ).fetchall()
        before, self._watermark = self._watermark, from_datetime(found[0][0]) if found and found[0][0] else None
        assert before is None or (self._watermark and before <= self._watermark), f"the watermark went back: {before}, {self._watermark}"
        newest = max((updated_at for every in self.source.seen.values() for _, updated_at in every), default=0)
        assert (self._watermark or 0) <= newest, f"the watermark {self._watermark} is later than anything the source ever had, {newest}"

    def _check_children(self) -> None:
        """The typed columns and the children of a version are those of its payload."""
        if self.table != "work_orders":
            return
        wrong = self.warehouse.connection.execute(
            """select id, version_number, title, duration_seconds, is_deleted from raw.work_orders v
            left join raw.work_order_time_items c using (organisation_id, id, version_number)
            where organisation_id = ? and ('v' || duration_seconds is distinct from title) <> is_deleted""",
            [self.organisation],
        ).fetchall()
        assert not wrong, f"children of versions: {wrong}"


def content_of(payload: str) -> Content:
    """Return what a copy must have."""
    record = msgspec.json.decode(payload)
    text = record.get("title") or record.get("name") or record["description"]
    return int(text[1:]), parse(record["updatedAt"])

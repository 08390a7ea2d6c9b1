"""The sync against a source that changes, fails, lags and lies: nothing is lost, doubled or deleted by mistake."""

import json
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from dagster_project import reconcile, refresh, sync, walk
from dagster_project.maintainx.client import MaintainX, Page
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.maintainx.errors import Forbidden, MaintainXError, ProtocolError, Unauthorized, Unavailable
from dagster_project.settings import Settings
from dagster_project.sites import Organisation
from dagster_project.sync import Breaker, EndpointReport, Run
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.api import Response, Simulator
from simulator.instants import HOUR, MINUTE, from_datetime, iso
from simulator.options import Options
from simulator.transport import transport
from simulator.world import World

START = from_datetime(datetime(2026, 11, 16, 6, tzinfo=UTC))
ORGANISATIONS = count(1000)  # each test its own: one warehouse serves them all


class Crash(BaseException):
    """The process dies here."""


class SmallPages(Simulator):
    """A MaintainX that gives at most so many rows a page, whatever is asked, and can send other bytes than it has."""

    cap = 200
    rewritten: tuple[bytes, bytes] = (b"", b"")

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        capped = [(name, str(min(int(value), self.cap)) if name == "limit" else value) for name, value in query]
        response = super().respond(method, path, capped, headers, body)
        if self.rewritten[0]:
            response.body = response.body.replace(*self.rewritten)
        return response


@dataclass
class Plant:
    """One organisation of a small world, and the log that we keep of it."""

    warehouse: DuckDBWarehouse
    cap: int = 200
    options: Options = field(default_factory=Options)
    seconds: float = 0.0  # slept so far
    silent: set[int] = field(default_factory=set)  # changed since updatedAt last moved
    runs: Any = field(default_factory=count)

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
            self.change(table, id_, title=title)

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
        return MaintainX("http://mx/v1", token, transport=transport(self.simulator), clock=lambda: self.seconds, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Let the client's clock go on."""
        self.seconds += seconds

    @contextmanager
    def run(self) -> Generator[tuple[MaintainX, Run]]:
        """Give a client and a run of its own."""
        with self.source() as source:
            yield source, Run(f"run-{next(self.runs)}", self.organisation, source.now())

    def sync(self, table: str = "work_orders", hook: Callable[[str], None] = sync.nothing) -> EndpointReport:
        """Sync one endpoint once."""
        with self.run() as (source, run):
            return sync.sync(BY_TABLE[table], source, self.warehouse, run, hook=hook)

    def reconcile(self, table: str = "work_orders", is_full: bool = True) -> reconcile.Comparison:
        """Reconcile one endpoint once."""
        with self.run() as (source, run):
            return reconcile.reconcile(BY_TABLE[table], source, self.warehouse, run, is_full)

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

    def watermark(self, table: str = "work_orders") -> datetime | None:
        """Return the endpoint's watermark."""
        return self.warehouse.states(self.organisation, table)[""].watermark


def content(record: dict[str, Any]) -> tuple:
    """Return what two readings of one record must agree on."""
    times = sum(item.get("durationTotal", 0) for item in record.get("timeItems", []))
    return record.get("title", record.get("name")), record.get("updatedAt"), record.get("createdAt"), times


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Generator[DuckDBWarehouse]:
    with DuckDBWarehouse(tmp_path_factory.mktemp("faults") / "warehouse.duckdb") as found:
        yield found


@pytest.fixture
def plant(warehouse: DuckDBWarehouse) -> Plant:
    """A plant of 40 orders, read in pages of 7."""
    found = Plant(warehouse, cap=7)
    found.orders(range(1, 41))
    return found


# Failures on the way


@pytest.mark.parametrize("action", ["truncated", "cut", "500", "502", "timeout", "429"])
@pytest.mark.parametrize("nth", [1, 8])
def test_a_burst_of_failures_in_any_place_loses_nothing(plant, action, nth):
    plant.simulator.faults.add(action, path="workorders", nth=nth, times=3)
    assert plant.sync().counts.inserted == 40
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", [1, 4, 9])
def test_a_source_that_dies_leaves_what_was_committed_and_the_next_run_goes_on(plant, monkeypatch, nth):
    monkeypatch.setattr(sync, "BATCH_ROWS", 5)
    plant.simulator.faults.add("500", path="workorders", nth=nth, times=1000)
    with pytest.raises(Unavailable):
        plant.sync()
    plant.simulator.faults.clear()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 3, title="meanwhile")
    plant.sync()
    assert plant.log() == plant.truth()
    assert all(len(plant.versions(id_)) == 1 for id_ in range(4, 41))


@pytest.mark.parametrize("table", ["work_orders", "locations"])
@pytest.mark.parametrize("place", ["before commit", "after commit"])
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_crash_at_a_batch_leaves_a_log_that_the_next_run_completes(plant, monkeypatch, table, place, nth):
    monkeypatch.setattr(sync, "BATCH_ROWS", 5)
    plant.locations(range(1, 41))
    reached = count(1)

    def hook(where: str) -> None:
        if where == place and next(reached) == nth:
            raise Crash

    with pytest.raises(Crash):
        plant.sync(table, hook)
    plant.world.advance(timedelta(hours=1))
    plant.change(table, 3, title="meanwhile", name="meanwhile")
    plant.sync(table)
    assert plant.log(table) == plant.truth(table)
    assert all(len(plant.versions(id_, table)) == 1 for id_ in range(4, 41))


def test_syncing_twice_is_syncing_once(plant):
    plant.sync()
    before = plant.warehouse.query("select * from raw.work_orders order by id").rows()
    again = plant.sync()
    assert (again.counts.inserted, again.counts.updated, again.counts.deleted) == (0, 0, 0)
    assert plant.warehouse.query("select * from raw.work_orders order by id").rows() == before


def test_a_revoked_token_stops_at_once_and_deletes_nothing(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("unauthorized", path="locations", page=2)
    with pytest.raises(Unauthorized):
        plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


def test_what_the_plan_lacks_is_skipped_unless_nothing_works_without_it(plant):
    plant.simulator.faults.add("forbidden", path="rootcauseanalysisreports")
    plant.simulator.faults.add("forbidden", path="workorders")
    skipped = plant.sync("rca_reports")
    assert skipped.status == "skipped"
    assert "Forbidden" in (skipped.reason or "")
    with pytest.raises(Forbidden):
        plant.sync()


# A source that changes while it is read


@pytest.mark.parametrize("nth", range(1, 12, 2))
@pytest.mark.parametrize("cap", [3, 7])
def test_whatever_happens_between_two_pages_of_a_first_load_is_read_by_its_end(plant, nth, cap):
    plant.simulator.cap = cap

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        plant.change("work_orders", 40, title="changed")
        plant.change("work_orders", 1, title="changed")
        plant.orders([50], updated=plant.world.now)

    plant.simulator.faults.add("mutate", callback=meanwhile, path="workorders", nth=nth)
    plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 9))
def test_whatever_happens_between_two_pages_of_an_update_is_read_by_its_end(plant, nth):
    plant.sync()
    plant.world.advance(timedelta(hours=5))
    for id_ in range(1, 31):
        plant.world.advance(timedelta(seconds=1))
        plant.change("work_orders", id_, title="before")

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        for id_ in (2, 9, 30):
            plant.change("work_orders", id_, title="during")
        plant.orders([60], updated=plant.world.now)

    plant.simulator.faults.add("mutate", callback=meanwhile, path="workorders", nth=nth)
    plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_delete_between_two_pages_never_hides_or_deletes_another_record(plant, nth):
    plant.locations(range(1, 41))
    plant.sync("locations")
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("locations", 2), path="locations", nth=nth)
    plant.sync("locations")
    assert set(plant.truth("locations")) <= set(plant.log("locations"))
    plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("size", [7, 8, 14, 30])
def test_more_rows_of_one_instant_than_a_page_holds_are_all_read(plant, size):
    plant.sync()
    plant.world.advance(timedelta(hours=4))
    plant.change_all(range(1, size + 1), "imported")
    plant.sync()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("table", ["work_orders", "assets"])
@pytest.mark.parametrize("nth", range(1, 9))
def test_a_row_that_leaves_a_group_of_one_instant_while_it_is_read_hides_no_other(warehouse, table, nth):
    plant = Plant(warehouse, cap=7)
    for id_ in range(1, 41):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR, table)
    plant.sync(table)
    plant.world.advance(timedelta(hours=4))
    plant.change_all(range(1, 31), "imported", table)

    def meanwhile() -> None:
        plant.world.advance(timedelta(seconds=1))
        plant.change(table, 2, title="again")
        plant.delete(table, 5)

    plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), nth=nth)
    plant.sync(table)
    assert {id_: row for id_, row in plant.log(table).items() if id_ != 5} == plant.truth(table)


def test_a_change_that_the_list_shows_two_hours_late_is_not_lost(warehouse):
    plant = Plant(warehouse, cap=7, options=Options(list_lag_seconds=7200))
    plant.orders(range(1, 41))
    plant.world.advance(timedelta(hours=3))
    for minutes in range(1, 400, 20):
        plant.world.advance(timedelta(minutes=20))
        plant.change("work_orders", minutes % 40 + 1, title=f"at {minutes}")
        plant.orders([100 + minutes], updated=plant.world.now)
        plant.sync()
    plant.world.advance(timedelta(hours=3))
    plant.sync()
    assert plant.log() == plant.truth()


def test_a_row_whose_updatedat_went_backwards_within_the_overlap_is_read(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change("work_orders", 4, title="newer")
    plant.sync()
    plant.whisper("work_orders", 4, title="older", updatedAt=iso(plant.world.now - 30 * MINUTE))
    plant.sync()
    assert plant.log() == plant.truth()


# Records that come and go


def test_a_record_is_deleted_once_the_source_confirms_it_and_may_come_back(plant):
    plant.locations([1, 2, 3])
    plant.sync("locations")
    plant.delete("locations", 2)
    plant.sync("locations")
    plant.sync("locations")
    assert plant.versions(2, "locations") == [(1, "first", False), (2, "delete", True)]
    plant.locations([2])
    plant.sync("locations")
    assert plant.versions(2, "locations")[2:] == [(3, "undelete", False)]


def test_an_id_that_is_used_again_begins_a_new_life_of_the_same_record(plant):
    plant.sync()
    plant.delete("work_orders", 7)
    plant.reconcile()
    plant.world.advance(timedelta(hours=1))
    plant.add_order(7, plant.world.now, plant.world.now, title="another")
    plant.sync()
    assert plant.versions(7) == [(1, "first", False), (2, "delete", True), (3, "new_life", False)]
    assert plant.log() == plant.truth()


def test_a_list_that_is_suddenly_empty_deletes_nothing(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("empty", path="locations")
    with pytest.raises(Breaker, match="--accept locations"):
        plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


def test_a_proxy_that_answers_404_to_everything_deletes_nothing(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("empty", path="locations", page=1, times=None)
    plant.simulator.faults.add("respond", path="locations/*", times=None, details={"status": 404, "body": "<html>not here</html>"})
    with pytest.raises((Breaker, ProtocolError)):
        plant.sync("locations")
    assert len(plant.log("locations")) == 9


def test_a_part_that_the_token_may_no_longer_see_is_not_deleted_while_it_exists(plant):
    plant.locations(range(1, 10))
    plant.sync("locations")
    hidden = {
        "locations": [json.loads(raw) for raw in plant.world.table("locations", plant.organisation).rows.encoded.values()][:7],
        "nextCursor": None,
    }
    plant.simulator.faults.add("respond", path="locations", details={"body": hidden})
    assert plant.sync("locations").counts.deleted == 0
    assert plant.log("locations") == plant.truth("locations")


@pytest.mark.parametrize("body", ["", "{}", "null", "[]", '{"errors":[{"error":"x"}]}', '{"locations":null}', "<html>Sign in</html>"])
def test_an_answer_that_is_no_list_is_an_error_and_deletes_nothing(plant, body):
    plant.locations(range(1, 10))
    plant.sync("locations")
    plant.simulator.faults.add("respond", path="locations", times=None, details={"body": body})
    with pytest.raises(MaintainXError):
        plant.sync("locations")
    assert plant.log("locations") == plant.truth("locations")


# Rows that break the contract


BAD_FIELDS = [
    {"title": 7}, {"title": None}, {"status": ["OPEN"]}, {"updatedAt": "yesterday"}, {"updatedAt": None}, {"createdAt": 1_700_000_000},
    {"sequentialId": "7"}, {"sequentialId": 7.9}, {"sequentialId": True}, {"sequentialId": 2**63}, {"sequentialId": -1},
    {"assetId": 10**40}, {"dueDate": "2026-11-16T06:00:00"}, {"assignees": {"id": 1}}, {"timeItems": [7]},
    {"organizationId": 7}, {"extraFields": []}, {"estimatedTime": "3600"}, {"updatedAt": "2026-10-31T10:00:00"},
    {"createdAt": "2026-10-31T10:00:00"}, {"assignees": [{"type": "USER", "id": "u-12"}]},
    {"assignees": [{"type": "USER", "id": str(10**30)}]}, {"timeItems": [{"type": "TIME", "durationTotal": 1e30}]},
    {"dueDate": "0001-01-01T00:00:00+02:00"},
]  # fmt: skip


@pytest.mark.parametrize("fields", BAD_FIELDS, ids=str)
def test_one_bad_row_goes_to_quarantine_and_its_neighbours_load(plant, fields):
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {"20": fields}})
    plant.sync()
    assert plant.log() == {id_: row for id_, row in plant.truth().items() if id_ != 20}
    assert [(id_, status) for id_, _, status, _ in plant.quarantine()] == [(20, "open")]
    plant.simulator.faults.clear()
    plant.change("work_orders", 20, title="mended")
    plant.sync()
    assert plant.log() == plant.truth()
    assert [(id_, status) for id_, _, status, _ in plant.quarantine()] == [(20, "replayed")]


BAD_BYTES = {
    "lone surrogate": b'"title":"\\ud800"',
    "no number": b'"title":NaN',
    "no unicode": b'"title":"\xff"',
    "nested deeply": b'"title":"order 20","new":' + b'{"a":' * 900 + b"1" + b"}" * 900,
}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_one_row_of_bad_bytes_goes_to_quarantine_and_its_neighbours_load(plant, name):
    plant.simulator.rewritten = (b'"title":"order 20"', BAD_BYTES[name])
    plant.sync()
    assert plant.log() == {id_: row for id_, row in plant.truth().items() if id_ != 20}
    assert [(id_, status) for id_, _, status, _ in plant.quarantine()] == [(20, "open")]
    plant.simulator.rewritten = (b"", b"")
    plant.change("work_orders", 20, title="mended")
    plant.sync()
    assert plant.log() == plant.truth()


ODD_FIELDS = [
    {"status": "ARCHIVED"}, {"title": ""}, {"title": "\x00\u202e\u200b😀 e\u0301"}, {"title": "x" * 1_000_000}, {"newKey": {"deep": [1]}},
    {"description": None}, {"id": 2**63 - 1}, {"extraFields": {'a";drop table x;--': "1", "": "2"}}, {"type": None},
    {"dueDate": "2026-11-15T23:00:00+02:00"},
]  # fmt: skip


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=lambda fields: str(fields)[:40])
def test_an_odd_row_within_the_contract_is_kept_as_it_is(plant, fields):
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {"20": fields}})
    plant.sync()
    assert plant.quarantine() == []
    found = "select payload from raw.work_orders where organisation_id = ? and sequential_id = 20"
    raw = plant.warehouse.query(found, [plant.organisation])["payload"].item()
    wanted = {name: value for name, value in fields.items() if value is not None}
    assert {name: json.loads(raw)[name] for name in wanted} == wanted


def test_a_format_that_changed_for_most_rows_stops_the_endpoint_and_keeps_the_log(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 301))
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.change_all(range(1, 301), "new")
    before, watermark = plant.log(), plant.watermark()
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {str(id_): {"title": 7} for id_ in range(1, 200)}})
    with pytest.raises(Breaker, match="--accept work_orders"):
        plant.sync()
    assert (plant.log(), plant.watermark()) == (before, watermark)


def test_a_bad_row_is_one_row_of_quarantine_however_its_volatile_fields_move(plant):
    plant.world.add("users", plant.organisation, {"id": 1, "firstName": 7, "lastName": "B", "lastVisitedAt": iso(START)})
    plant.sync("users")
    plant.whisper("users", 1, lastVisitedAt=iso(START + HOUR))
    plant.sync("users")
    assert [(id_, reason) for id_, reason, _, _ in plant.quarantine()] == [(1, "type")]


@pytest.mark.parametrize(
    "bad", [b'"firstName":7', b'"firstName":"\\ud800"', b'"firstName":NaN', b'"firstName":"\xff"', b'"firstName":"\n"']
)
def test_no_personal_data_gets_into_the_log_or_the_quarantine(plant, bad):
    person = {"firstName": "Ann", "lastName": "B", "email": "canary@example.org", "phoneNumber": "+1 555 0100", "hourlyRate": 4242}
    plant.world.add("users", plant.organisation, {"id": 1, **person})
    plant.world.add("users", plant.organisation, {"id": 2, **person})
    plant.simulator.rewritten = (b'"id":2,"firstName":"Ann"', b'"id":2,' + bad)
    plant.sync("users")
    for table in ("raw.users", "ops.quarantine"):
        stored = str(plant.warehouse.query(f"select * from {table} where organisation_id = ?", [plant.organisation]).rows())
        assert not any(canary in stored for canary in ("canary@", "555 0100", "4242"))


def test_the_rows_that_tripped_a_breaker_are_kept_as_evidence(warehouse):
    plant = Plant(warehouse)
    plant.orders(range(1, 301))
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {str(id_): {"title": 7} for id_ in range(1, 300)}})
    with pytest.raises(Breaker):
        plant.sync()
    assert len(plant.quarantine()) > 100


# Sources that lie


def test_a_stamp_from_the_future_does_not_hide_what_changes_until_then(plant):
    plant.sync()
    plant.world.advance(timedelta(minutes=30))
    plant.whisper("work_orders", 5, title="from the future", updatedAt=iso(plant.world.now + 20 * HOUR))
    plant.sync()
    plant.world.advance(timedelta(minutes=30))
    plant.change("work_orders", 3, title="changed")
    plant.world.advance(timedelta(hours=4))
    plant.sync()
    assert plant.log() == plant.truth()
    assert plant.watermark() <= plant.world.instant


def test_a_stamp_of_the_year_2999_is_quarantined_and_moves_no_watermark(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=1))
    plant.whisper("work_orders", 5, updatedAt="2999-01-01T00:00:00.000Z")
    plant.change("work_orders", 3, title="changed")
    plant.sync()
    assert [(id_, reason) for id_, reason, _, _ in plant.quarantine()] == [(5, "future_updated_at")]
    assert plant.watermark() == plant.world.instant


def test_a_status_interval_from_the_future_does_not_hide_those_after_it(plant):
    def status(id_: int, at: int) -> dict[str, Any]:
        times = dict.fromkeys(("startedAt", "createdAt", "updatedAt"), iso(at))
        return {"id": id_, "assetId": id_ % 3 + 1, "status": "OFFLINE", "creatorId": 1, **times}

    for id_ in range(1, 21):
        plant.world.add("asset_statuses", plant.organisation, status(id_, START - id_ * HOUR))
    plant.world.add("asset_statuses", plant.organisation, status(30, START + 20 * HOUR))
    plant.sync("asset_statuses")
    plant.world.advance(timedelta(hours=2))
    for id_ in range(40, 60):
        plant.world.add("asset_statuses", plant.organisation, status(id_, plant.world.now))
    plant.world.advance(timedelta(hours=1))
    plant.sync("asset_statuses")
    assert plant.log("asset_statuses") == plant.truth("asset_statuses")


def test_a_list_row_that_says_it_is_deleted_is_not_live(plant):
    plant.sync()
    plant.change("work_orders", 4, deletedAt=iso(plant.world.now))
    plant.add_order(99, START, plant.world.now, deletedAt=iso(plant.world.now))
    plant.sync()
    plant.sync()
    assert plant.versions(4) == [(1, "first", False), (2, "delete", True)]
    assert plant.versions(99) == []


@pytest.mark.parametrize("action", ["expired_cursor", "not_found"])
@pytest.mark.parametrize("table", ["locations", "vendors"])
def test_a_cursor_that_expires_in_a_whole_reading_starts_it_again(plant, action, table):
    for id_ in range(1, 31):
        plant.world.add(table, plant.organisation, {"id": id_, "name": f"name {id_}"})
    plant.simulator.faults.add(action, path=table, page=3)
    assert plant.sync(table).status == "ok"
    assert plant.log(table) == plant.truth(table)


def test_a_team_that_is_deleted_while_teams_are_read_does_not_hide_the_others(plant):
    for id_ in (1, 2, 3):
        plant.world.add("teams", plant.organisation, {"id": id_, "name": f"team {id_}", "members": [{"id": 5, "teamRole": "ADMIN"}]})
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("teams", 2), path="teams/1/members")
    assert plant.sync("teams").status == "ok"
    assert set(plant.truth("teams")) <= set(plant.log("teams"))
    plant.sync("teams")
    assert plant.log("teams") == plant.truth("teams")


def test_an_empty_page_with_a_cursor_is_not_the_end_of_a_walk(plant):
    plant.sync()
    plant.world.advance(timedelta(hours=5))
    plant.change_all(range(1, 31), "changed")
    plant.simulator.faults.add("respond", path="workorders", details={"body": {"workOrders": [], "nextCursor": iso(START) + "|0"}})
    plant.sync()
    assert plant.log() == plant.truth()


def test_a_new_expand_of_the_program_reaches_a_log_that_began_without_it(plant, monkeypatch):
    plant.sync()
    endpoint = BY_TABLE["work_orders"]
    monkeypatch.setitem(BY_TABLE, "work_orders", replace(endpoint, expands=(*endpoint.expands, "team_ids")))
    plant.change("work_orders", 3, title="changed", teamIds=[4])
    plant.sync()
    payload = "select payload from raw.work_orders where organisation_id = ? and id = 3 order by version_number desc limit 1"
    assert json.loads(plant.warehouse.query(payload, [plant.organisation])["payload"].item())["teamIds"] == [4]


def test_a_walk_ends_though_a_page_lies_within_one_millisecond():
    rows = [(id_, datetime(2026, 11, 16, 6, tzinfo=UTC) + timedelta(microseconds=100 * id_)) for id_ in range(30)]

    def page(params: Any, start: int = 0, size: int = 4) -> Page:
        given = dict(params)
        first, last = (given.get(f"updatedAt[{end}]", "") for end in ("gte", "lte"))
        found = [row for row in rows if row[1].isoformat() >= first[:23] and (not last or row[1].isoformat()[:23] <= last[:23])]
        records = [json.dumps({"id": id_, "updatedAt": at.isoformat()}).encode() for id_, at in found[start : start + size]]
        return Page(records, "more" if start + size < len(found) else None, rows[0][1], 1)

    seen: set[int] = set()
    walked = walk.anchored(page, lambda params: iter([page(params, size=100)]), "updatedAt", None)
    for found in islice(walked, 50):
        seen.update(json.loads(raw)["id"] for raw in found.records)
    assert next(walked, None) is None
    assert seen == set(range(30))


# Reconciliation


def test_what_updatedat_never_showed_is_found_and_healed_and_then_matches(plant):
    plant.sync()
    plant.whisper("work_orders", 3, timeItems=[{"type": "TIME", "durationTotal": 3600, "rowTotal": 100, "userId": 1}])
    plant.whisper("work_orders", 4, title="silently")
    plant.delete("work_orders", 5)
    found = plant.reconcile()
    assert (found.stale, found.missing, found.ghost, found.status) == (2, 0, 1, "healed")
    assert (found.source_labour_seconds, found.raw_labour_seconds) == (3600, 0)
    assert plant.log() == plant.truth()
    again = plant.reconcile()
    assert (again.stale, again.missing, again.ghost, again.healed, again.status) == (0, 0, 0, 0, "matched")
    assert again.source_labour_seconds == again.raw_labour_seconds == 3600


def test_a_record_that_only_its_id_finds_is_not_deleted_but_named(plant):
    plant.sync()
    plant.world.table("work_orders", plant.organisation).rows.store(6, None)
    found = plant.reconcile()
    assert (found.status, found.reason) == ("differs", "record 6 exists by its id, but no list shows it")
    assert len(plant.log()) == 40


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_delete_while_reconciling_buries_only_what_is_gone(plant, nth):
    plant.sync()
    plant.simulator.faults.add("mutate", callback=lambda: plant.delete("work_orders", 2), path="workorders", nth=nth)
    plant.reconcile()
    assert set(plant.truth()) <= set(plant.log())
    plant.reconcile()
    assert plant.log() == plant.truth()


@pytest.mark.parametrize("missed", [None, 7])
def test_a_month_of_rolling_reconciliations_reads_all_of_history(warehouse, missed):
    plant = Plant(warehouse)
    for id_ in range(1, 201):
        plant.add_order(id_, START - id_ * 25 * HOUR, START - 60 * 24 * HOUR, status="DONE")
    plant.sync()
    for id_ in range(1, 201):
        plant.whisper("work_orders", id_, title="silently")
    for day in range(32):
        plant.world.advance(timedelta(days=1))
        if day != missed:
            plant.reconcile(is_full=False)
    assert plant.log() == plant.truth()


def test_a_reconciliation_costs_a_request_per_page_and_one_per_absentee(warehouse):
    plant = Plant(warehouse)
    for id_ in range(1, 1001):
        plant.add_order(id_, START - id_ * HOUR, START - id_ * HOUR)
    plant.sync()
    for id_ in range(1, 11):
        plant.delete("work_orders", id_)
    found = plant.reconcile()
    assert found.ghost == 10
    assert found.report is not None
    assert found.report.requests <= 1000 / 200 + 1 + 10


# The whole run


def test_a_revoked_token_ends_the_run_of_its_organisation_after_one_request_each(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.simulator.faults.add("unauthorized", times=None)
    report = refresh.RefreshReport("run-401")
    given = Settings(maintainx_url="http://mx/v1", maintainx_token=SecretStr(f"demo-{plant.organisation}"), data_dir=tmp_path)
    source = refresh.Source(given, Organisation(plant.organisation), False, transport(plant.simulator))
    refresh.read_organisation(source, warehouse, report)
    assert "MAINTAINX_TOKEN" in report.failed[plant.organisation]
    assert plant.simulator.requests.total() == 1


def test_a_token_that_is_revoked_on_the_way_is_not_tried_for_every_endpoint(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.locations(range(1, 10))
    plant.simulator.faults.add("unauthorized", path="users", times=None)
    plant.simulator.faults.add("unauthorized", path="teams", times=None)
    report = refresh.RefreshReport("run-users")
    given = Settings(maintainx_url="http://mx/v1", maintainx_token=SecretStr(f"demo-{plant.organisation}"), data_dir=tmp_path)
    source = refresh.Source(given, Organisation(plant.organisation), False, transport(plant.simulator))
    refresh.read_organisation(source, warehouse, report)
    assert plant.simulator.statuses[401] == 1
    assert plant.log("locations") == plant.truth("locations")
    status = "select status, started_at is not null, known_from from ops.runs where organisation_id = ?"
    assert warehouse.query(status, [plant.organisation]).rows() == [("failed", True, None)]


@pytest.mark.parametrize("nth", [4, 9])
def test_a_first_load_that_was_interrupted_never_claims_to_have_read_everything(plant, nth):
    plant.simulator.faults.add("unauthorized", path="workorders", nth=nth)
    with pytest.raises(Unauthorized):
        plant.sync()
    assert not plant.sync().is_first_load
    assert plant.log() == plant.truth()


# Any history at all


def happening(pick: int, n: int) -> Callable[[Plant, str], None]:
    """Return one change of the source, chosen among those that are possible then."""

    def change(plant: Plant, table: str) -> None:
        ids = sorted(plant.world.table(table, plant.organisation).rows.encoded)
        free = [id_ for id_ in range(1, 9) if id_ not in ids]
        plant.world.advance(timedelta(milliseconds=pick % 3))
        now, late = plant.world.now, iso(plant.world.now - (n % 170) * MINUTE)
        some = ids[n % len(ids)] if ids else 1
        menu: list[Callable[[], None]] = []
        if ids:
            menu = [
                lambda: plant.change(table, some, title=f"change {n} {pick}"),
                lambda: plant.whisper(table, some, title=f"late {n} {pick}", updatedAt=late),
                lambda: plant.whisper(table, some, timeItems=[{"type": "TIME", "durationTotal": n}]),
                lambda: plant.delete(table, some),
                lambda: plant.change_all(ids[n % len(ids) :][:4], f"bulk {n} {pick}", table),
            ]
        if free:
            menu.append(lambda: plant.add_order(free[n % len(free)], now, now, table))
        menu[pick % len(menu)]()

    return change


CHANGES = st.builds(happening, st.integers(0, 100), st.integers(0, 10_000))
SYNCS = st.tuples(st.lists(st.none() | CHANGES, max_size=8), st.sampled_from([None, 1, 1, 2, 3, 5]), st.integers(0, 600))
ROUNDS = {
    "rounds": st.lists(SYNCS, min_size=1, max_size=4),
    "cap": st.sampled_from([1, 2, 3, 200]),
    "table": st.sampled_from(["work_orders", "assets"]),
}
OWN_ORGANISATION = [HealthCheck.function_scoped_fixture]  # each example has an organisation of its own


@given(**ROUNDS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=OWN_ORGANISATION)
def test_any_history_read_with_any_crashes_ends_in_the_truth(warehouse, monkeypatch, rounds, cap, table):
    monkeypatch.setattr(sync, "BATCH_ROWS", 3)
    live_through(Plant(warehouse, cap), rounds, table)


@pytest.mark.slow
@given(**ROUNDS)
@settings(max_examples=1000, deadline=None, suppress_health_check=[*OWN_ORGANISATION, HealthCheck.too_slow])
def test_a_thousand_histories_read_with_any_crashes_end_in_the_truth(warehouse, monkeypatch, rounds, cap, table):
    monkeypatch.setattr(sync, "BATCH_ROWS", 3)
    live_through(Plant(warehouse, cap), rounds, table)


def live_through(plant: Plant, rounds: Any, table: str) -> None:
    """Sync after each round, with changes between the requests and a crash at a commit; compare with the source in the end."""
    for id_ in range(1, 7):
        plant.add_order(id_, START - id_ // 2 * 5 * HOUR, START - id_ // 2 * 5 * HOUR, table)
    for inside, crash_at, minutes in rounds:
        pending, reached = iter(inside), count(1)

        def meanwhile(pending: Any = pending) -> None:
            change = next(pending, None)
            if change:
                change(plant, table)

        def hook(_where: str, reached: Any = reached, crash_at: int | None = crash_at) -> None:
            if next(reached) == crash_at:
                raise Crash

        plant.simulator.faults.clear()
        plant.simulator.faults.add("mutate", callback=meanwhile, path=table.replace("_", ""), times=None)
        with suppress(Crash):
            plant.sync(table, hook)
        plant.simulator.faults.clear()
        plant.world.advance(timedelta(minutes=minutes))
    plant.sync(table)
    log, truth = plant.log(table), plant.truth(table)
    for id_ in truth.keys() - plant.silent:
        assert log.get(id_) == truth[id_]  # by the sync alone: what updatedAt shows is never lost
    plant.reconcile(table)
    assert plant.log(table) == plant.truth(table)
    doubled = f"select id, version_number from raw.{table} where organisation_id = ? group by all having count(*) > 1"
    assert plant.warehouse.query(doubled, [plant.organisation]).is_empty()

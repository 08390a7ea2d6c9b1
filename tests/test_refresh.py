"""The main job step by step: which organisations, what a run leaves in ops, and what one organisation's failure means for the others."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project import backup, failpoint, first_load, organisations, refresh, sync
from dagster_project.maintainx.endpoints import BY_TABLE, ENDPOINTS
from dagster_project.maintainx.errors import ProtocolError, Unauthorized
from dagster_project.operating_hours import Shift
from dagster_project.refresh import LostWarehouse, NothingReadable, OtherSource, RefreshReport, Source
from dagster_project.settings import MissingToken, Settings, load
from dagster_project.sites import Organisation, Site
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from simulator.api import Response, Simulator
from simulator.options import Options
from simulator.transport import transport
from simulator.world import World
from tests.small_world import (
    DECCAN,
    NORTHFIELD,
    NOW,
    URL,
    ago,
    client_of,
    company,
    everything,
    labour,
    new_warehouse,
    order,
    run,
    stored,
)

PLANTS = """
[[organisations]]
id = 101
name = "Northfield"
[[organisations.sites]]
id = "austin"
name = "Austin"
root_location_id = 5001
time_zone = "America/Chicago"
crew_hours_per_week = 640
operating_hours = ["mon-tue 06:00-14:00"]
holidays = [2026-12-25]
targets = { mttr = 4, pm_compliance = 0.9 }
[[organisations]]
id = 102
token_variable = "DECCAN_TOKEN"
"""


class Crash(BaseException):
    """The process dies here."""


class Recording(Simulator):
    """A MaintainX that remembers what it was asked."""

    def __init__(self, world: World, **fields: Any) -> None:
        super().__init__(world, **fields)
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        self.asked.append((path.removeprefix("/v1/"), list(query)))
        return super().respond(method, path, query, headers, body)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(maintainx_url=URL, maintainx_token="demo", data_dir=tmp_path)


@pytest.fixture
def northfield(settings: Settings) -> Settings:
    """Return the settings of a token that reads Northfield alone: half the work."""
    return settings.model_copy(update={"maintainx_token": load(maintainx_token="demo-101").maintainx_token})


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[DuckDBWarehouse]:
    with new_warehouse(settings.data_dir) as opened:
        yield opened


def small_company() -> World:
    """Return a company with something in most lists."""
    return company(
        work_orders=[order(1, timeItems=[labour(600)]), order(2, updatedAt=ago(minutes=5)), order(3)],
        locations=[{"id": 5001, "name": "Austin"}, {"id": 5002, "name": "Porto"}],
        users=[{"id": 7, "firstName": "Ana", "lastName": "Costa", "email": "ana@example.org", "role": "ADMIN"}],
        vendors=[{"id": 1, "name": "Acme"}, {"id": 2, "name": "Belts"}],
        teams=[{"id": 3, "name": "Mechanical", "members": [{"id": 7, "teamRole": "MEMBER"}]}],
    )


def sources_of(settings: Settings, simulator: Simulator, say: Callable[[str], None] = lambda _: None) -> list[Source]:
    return refresh.organisations(settings, say, transport(simulator))


def refreshed(
    settings: Settings, warehouse: DuckDBWarehouse, simulator: Simulator, say: Callable[[str], None] = lambda _: None, **fields: Any
) -> RefreshReport:
    """Read all organisations once, as a run does before it builds its models."""
    report = RefreshReport(fields.pop("run_id", None) or refresh.new_run_id())
    sources = sources_of(settings, simulator, say)
    for source in sources:
        refresh.read_organisation(source, warehouse, report, **fields)
    refresh.write_sites(warehouse, sources)
    return report


def with_sites(settings: Settings, text: str = PLANTS) -> Settings:
    path = settings.data_dir / "sites.toml"
    path.write_text(text, encoding="utf-8")
    return settings.model_copy(update={"sites_file": path})


def runs(warehouse: DuckDBWarehouse, columns: str = "run_id, organisation_id, status") -> list[tuple]:
    return stored(warehouse, "ops.runs", columns, "wall_started_at, organisation_id")


def raw_log(warehouse: DuckDBWarehouse) -> dict[str, list[tuple]]:
    return {name: rows for name, rows in everything(warehouse).items() if name.startswith("raw.")}


# which organisations


def test_without_sites_toml_the_organisations_are_those_that_the_token_reads(settings):
    found = sources_of(settings, Simulator(small_company()))
    assert [(source.organisation, source.sends_header) for source in found] == [
        (
            Organisation(101, name="Northfield Foods", time_zone="America/Chicago", currency="USD",
                         sites=(Site("101", "Northfield Foods", "America/Chicago"),)),
            True,
        ),
        (
            Organisation(102, name="Deccan Packaging", time_zone="Asia/Kolkata", currency="INR",
                         sites=(Site("102", "Deccan Packaging", "Asia/Kolkata"),)),
            True,
        ),
    ]  # fmt: skip


def test_a_token_of_one_organisation_never_sends_the_organisation_header(settings, warehouse):
    single = settings.model_copy(update={"maintainx_token": load(maintainx_token="demo-102").maintainx_token})
    simulator = Simulator(small_company(), Options(header_on_single_key="refused"))
    assert [(source.organisation_id, source.sends_header) for source in sources_of(single, simulator)] == [(102, False)]
    report = refreshed(single, warehouse, simulator)
    assert report.failed == {}
    assert stored(warehouse, "raw.work_orders", "organisation_id, id") == [(102, 9001)]


@pytest.mark.parametrize("fault", ["not_found", "forbidden"])
def test_a_token_that_may_not_list_organisations_reads_its_one_unnamed_organisation(northfield, warehouse, fault):
    simulator = Simulator(company(work_orders=[order(1, organizationId=101)]))
    simulator.faults.add(fault, path="organizations", times=None)
    source = sources_of(northfield, simulator)[0]
    site = Site("101", "Organisation 101", "UTC")
    assert (source.organisation, source.sends_header) == (Organisation(101, name="Organisation 101", time_zone="UTC", sites=(site,)), False)
    assert refreshed(northfield, warehouse, simulator).failed == {}
    assert stored(warehouse, "raw.work_orders", "organisation_id, id") == [(101, 1)]
    assert stored(warehouse, "ops.sites", "site_id, time_zone, currency") == [("101", "UTC", None)]


def test_an_organisation_that_nothing_names_must_be_named_in_sites_toml(northfield):
    simulator = Simulator(company())
    simulator.faults.add("not_found", path="organizations", times=None)
    with pytest.raises(ProtocolError, match=r"no record tells which one it is: name it in sites\.toml"):
        sources_of(northfield, simulator)


def test_sites_toml_names_the_organisations_and_the_api_completes_them(settings, monkeypatch):
    monkeypatch.setenv("DECCAN_TOKEN", "demo-102")
    found = sources_of(with_sites(settings), Simulator(small_company()))
    austin = Site(
        "austin", "Austin", "America/Chicago", 5001, 640.0, {"mttr": 4.0, "pm_compliance": 0.9},
        shifts=(Shift(1, 21600, 50400), Shift(2, 21600, 50400)), holidays=(date(2026, 12, 25),),
    )  # fmt: skip
    unassigned = Site("101-unassigned", "Unassigned", "America/Chicago", is_unassigned=True)
    assert [(source.organisation, source.sends_header) for source in found] == [
        (Organisation(101, "MAINTAINX_TOKEN", "Northfield", "America/Chicago", "USD", (austin, unassigned)), True),
        (Organisation(102, "DECCAN_TOKEN", "Deccan Packaging", "Asia/Kolkata", "INR",
                      (Site("102", "Deccan Packaging", "Asia/Kolkata"),)), False),
    ]  # fmt: skip


def test_a_token_of_another_organisation_is_never_read_under_this_ones_id(settings, warehouse, monkeypatch):
    monkeypatch.setenv("DECCAN_TOKEN", "demo-101")
    report = refreshed(with_sites(settings), warehouse, Simulator(small_company()))
    assert report.failed == {
        DECCAN: "Forbidden: the token in DECCAN_TOKEN reads organisation 101 and not 102: nothing was read; check the id in sites.toml, "
        "and the token"
    }
    assert runs(warehouse, "organisation_id, status") == [(NORTHFIELD, "finished"), (DECCAN, "failed")]
    assert stored(warehouse, "raw.users", "distinct organisation_id") == [(NORTHFIELD,)]


def test_without_a_token_or_with_a_wrong_one_there_is_nothing_to_read(settings):
    simulator = Simulator(small_company())
    with pytest.raises(MissingToken, match="MAINTAINX_TOKEN is not set"):
        sources_of(settings.model_copy(update={"maintainx_token": None}), simulator)
    with pytest.raises(Unauthorized, match="MAINTAINX_TOKEN"):
        sources_of(settings.model_copy(update={"maintainx_token": load(maintainx_token="wrong").maintainx_token}), simulator)


def test_the_sites_and_targets_are_written_as_they_stand_now(settings, warehouse, monkeypatch):
    monkeypatch.setenv("DECCAN_TOKEN", "demo-102")
    simulator = Simulator(small_company())
    refresh.write_sites(warehouse, sources_of(settings, simulator))
    refresh.write_sites(warehouse, sources_of(with_sites(settings), simulator))
    assert stored(warehouse, "ops.sites", order_by="organisation_id, site_id") == [
        (101, "Northfield", "101-unassigned", "Unassigned", None, "America/Chicago", "America/Chicago", "USD", None, True),
        (101, "Northfield", "austin", "Austin", 5001, "America/Chicago", "America/Chicago", "USD", 640.0, False),
        (102, "Deccan Packaging", "102", "Deccan Packaging", None, "Asia/Kolkata", "Asia/Kolkata", "INR", None, False),
    ]
    assert stored(warehouse, "ops.kpi_targets") == [(101, "austin", "mttr", 4.0), (101, "austin", "pm_compliance", 0.9)]
    assert stored(warehouse, "ops.site_hours") == [(101, "austin", 1, 21600, 50400), (101, "austin", 2, 21600, 50400)]
    assert stored(warehouse, "ops.site_holidays") == [(101, "austin", date(2026, 12, 25))]


def test_an_organisation_that_is_no_longer_named_keeps_its_sites_and_targets(settings, warehouse, monkeypatch):
    monkeypatch.setenv("DECCAN_TOKEN", "demo-102")
    both = sources_of(with_sites(settings), Simulator(small_company()))
    refresh.write_sites(warehouse, both)
    before = stored(warehouse, "ops.sites", order_by="organisation_id, site_id"), stored(warehouse, "ops.kpi_targets")
    refresh.write_sites(warehouse, [source for source in both if source.organisation_id == DECCAN])
    assert (stored(warehouse, "ops.sites", order_by="organisation_id, site_id"), stored(warehouse, "ops.kpi_targets")) == before


# a run


def test_a_run_reads_every_endpoint_of_every_organisation_and_says_when_it_counts(settings, warehouse):
    simulator = Simulator(small_company())
    report = refreshed(settings, warehouse, simulator, run_id="first")
    assert (report.status, report.failed) == (0, {})
    assert runs(warehouse, "run_id, organisation_id, kind, status, started_at, finished_at, known_from, error") == [
        ("first", organisation, "refresh", "finished", NOW, NOW, NOW, None) for organisation in (NORTHFIELD, DECCAN)
    ]
    read = stored(warehouse, "ops.endpoint_runs", "organisation_id, endpoint, kind, status")
    assert read == sorted((organisation, one.table, "sync", "ok") for organisation in (NORTHFIELD, DECCAN) for one in ENDPOINTS)
    assert stored(warehouse, "raw.organizations", "organisation_id, id, name, currency") == [
        (101, 101, "Northfield Foods", "USD"), (102, 102, "Deccan Packaging", "INR")
    ]  # fmt: skip
    assert stored(warehouse, "raw.work_orders", "organisation_id, id") == [(101, 1), (101, 2), (101, 3), (102, 9001)]
    assert stored(warehouse, "raw.team_members", "organisation_id, id, user_id, team_role") == [(101, 3, 7, "MEMBER")]
    assert refresh.last_known_at(warehouse) == NOW
    assert stored(warehouse, "ops.runs", "sum(requests)")[0][0] + 1 == sum(simulator.statuses.values())


def test_a_run_at_once_again_appends_nothing_and_reconciles_nothing(northfield, warehouse):
    simulator = Simulator(small_company())
    first = refreshed(northfield, warehouse, simulator)
    before = raw_log(warehouse)
    again = refreshed(northfield, warehouse, simulator)
    assert (first.versions > 0, again.versions, again.comparisons) == (True, 0, [])
    assert raw_log(warehouse) == before
    assert len(runs(warehouse)) == 2


def test_what_happened_in_a_day_is_read_by_the_next_run_and_reconciled(northfield, warehouse):
    world = small_company()
    simulator = Simulator(world)
    refreshed(northfield, warehouse, simulator)
    world.advance(timedelta(days=1))
    world.change("work_orders", NORTHFIELD, 2, status="DONE")
    world.whisper("work_orders", NORTHFIELD, 1, timeItems=[labour(900)])
    world.delete("vendors", NORTHFIELD, 1)
    report = refreshed(northfield, warehouse, simulator, run_id="second")
    compared = {one.table for one in ENDPOINTS} - {"asset_statuses", "parts", "purchase_orders"}  # an empty list is a first load each time
    assert sorted(one.report.endpoint for one in report.comparisons if one.report) == sorted(compared)
    verdicts = stored(warehouse, "ops.reconciliation where scope <> 'first_load'", "distinct status, source_ids = live_rows")
    assert verdicts == [("matched", True)]
    labour_run = stored(warehouse, "ops.endpoint_runs where kind = 'labour'", "run_id, endpoint, status, fetched, updated")
    assert labour_run == [("second", "work_orders", "ok", 3, 1)]
    assert stored(warehouse, "raw.work_orders", "id, cause, run_id = 'second'", "id, version_number")[:4] == [
        (1, "first", False), (1, "change", True), (2, "first", False), (2, "change", True)
    ]  # fmt: skip
    assert stored(warehouse, "raw.vendors where id = 1", "version_number, cause") == [(1, "first"), (2, "delete")]
    assert report.versions == 3
    assert refresh.last_known_at(warehouse) == NOW + timedelta(days=1)


def test_the_console_says_what_was_read_and_never_a_token_or_an_address(northfield, warehouse):
    said: list[str] = []
    refreshed(northfield, warehouse, Simulator(small_company()), said.append)
    orders = next(line for line in said if "101 work_orders" in line)
    assert orders.startswith("  101 work_orders: 3 read, 3 new, 0 changed (1 request")
    assert not any("demo" in line or "ana@example.org" in line for line in said)
    assert "ana@example.org" not in str(everything(warehouse))


# what fails, and what goes on


@pytest.mark.parametrize(("fault", "why"), [("forbidden", "Forbidden"), ("not_found", "NotFound")])
def test_an_optional_endpoint_that_the_plan_lacks_is_skipped_and_shown(northfield, warehouse, fault, why):
    simulator = Simulator(small_company())
    simulator.faults.add(fault, path="rootcauseanalysisreports", times=None)
    said: list[str] = []
    report = refreshed(northfield, warehouse, simulator, said.append)
    assert report.failed == {}
    skipped = [row for row in stored(warehouse, "ops.endpoint_runs", "organisation_id, endpoint, status, reason") if row[2] != "ok"]
    assert [(row[:3], row[3].split(":")[0]) for row in skipped] == [((NORTHFIELD, "rca_reports", "skipped"), why)]
    assert [line.split(":")[:3] for line in said if "skipped" in line] == [["  101 rca_reports", " skipped", f" {why}"]]


def test_a_required_endpoint_fails_its_organisation_and_the_other_is_read_and_counts(settings, warehouse):
    simulator = Simulator(small_company())
    simulator.faults.add("forbidden", path="workorders", organisation=NORTHFIELD, times=None)
    report = refreshed(settings, warehouse, simulator, run_id="r")
    assert (report.status, list(report.failed)) == (1, [NORTHFIELD])
    assert report.failed[NORTHFIELD].startswith("work_orders: Forbidden: ")
    assert runs(warehouse, "organisation_id, status, started_at, finished_at, known_from, error") == [
        (NORTHFIELD, "failed", NOW, NOW, None, report.failed[NORTHFIELD]), (DECCAN, "finished", NOW, NOW, NOW, None)
    ]  # fmt: skip
    assert refresh.last_known_at(warehouse) == NOW
    assert stored(warehouse, "raw.work_orders", "organisation_id") == [(DECCAN,)]
    assert stored(warehouse, "raw.vendors", "organisation_id") == [(NORTHFIELD,)] * 2


def test_an_organisation_whose_token_is_not_set_or_refused_fails_and_the_other_is_read(settings, warehouse, monkeypatch):
    declared = with_sites(settings)
    simulator = Simulator(small_company())
    report = refreshed(declared, warehouse, simulator)
    assert report.failed[DECCAN].startswith("MissingToken: DECCAN_TOKEN is not set")
    monkeypatch.setenv("DECCAN_TOKEN", "canary")
    report = refreshed(declared, warehouse, simulator)
    assert report.failed[DECCAN].startswith("Unauthorized: ")
    assert "DECCAN_TOKEN" in report.failed[DECCAN]
    assert "canary" not in str(runs(warehouse, "*"))
    assert runs(warehouse, "organisation_id, status, known_from is null") == [(NORTHFIELD, "finished", False), (DECCAN, "failed", True)] * 2


def test_the_versions_of_a_crashed_run_count_from_the_end_of_the_next_finished_one(northfield, warehouse):
    world = small_company()
    simulator = Simulator(world)

    def crash() -> None:
        raise Crash

    simulator.faults.add("mutate", path="teams", callback=crash)
    with pytest.raises(Crash):
        refreshed(northfield, warehouse, simulator, run_id="crashed")
    assert runs(warehouse, "run_id, organisation_id, status, known_from") == [("crashed", NORTHFIELD, "running", None)]
    assert refresh.last_known_at(warehouse) is None
    world.advance(timedelta(hours=1))
    refreshed(northfield, warehouse, simulator, run_id="next")
    later = NOW + timedelta(hours=1)
    assert runs(warehouse, "run_id, organisation_id, status, started_at, known_from") == [
        ("crashed", NORTHFIELD, "superseded", NOW, later), ("next", NORTHFIELD, "finished", later, later)
    ]  # fmt: skip
    assert stored(warehouse, "raw.locations", "id, run_id") == [(5001, "crashed"), (5002, "crashed")]


def test_the_versions_of_a_failed_run_count_later_too_and_a_finished_run_keeps_its_instant(northfield, warehouse):
    world = small_company()
    simulator = Simulator(world)
    simulator.faults.add("forbidden", path="workorders")
    for run_id in ("failed", "second", "third"):
        refreshed(northfield, warehouse, simulator, run_id=run_id)
        world.advance(timedelta(hours=1))
    assert runs(warehouse, "run_id, status, known_from") == [
        ("failed", "failed", NOW + timedelta(hours=1)), ("second", "finished", NOW + timedelta(hours=1)),
        ("third", "finished", NOW + timedelta(hours=2)),
    ]  # fmt: skip


def test_a_list_that_lost_its_rows_fails_until_it_is_accepted_and_the_acceptance_is_audited(northfield, warehouse):
    world = small_company()
    simulator = Simulator(world)
    refreshed(northfield, warehouse, simulator)
    for location in (5001, 5002):
        world.delete("locations", NORTHFIELD, location)
    report = refreshed(northfield, warehouse, simulator, run_id="stopped")
    assert "locations: Breaker: locations of organisation 101: 2 of 2 known records are absent" in report.failed[NORTHFIELD]
    assert "--accept locations" in report.failed[NORTHFIELD]
    assert warehouse.live("locations", NORTHFIELD).height == 2
    assert stored(warehouse, "ops.audit") == []
    accepted = refreshed(northfield, warehouse, simulator, run_id="accepted", accepted=("locations",))
    assert accepted.failed == {}
    assert warehouse.live("locations", NORTHFIELD).height == 0
    detail = "breakers of this endpoint are overridden in this run"
    assert stored(warehouse, "ops.audit") == [(NOW, "accepted", NORTHFIELD, "locations", "accept", detail)]


def test_a_reconciliation_first_reads_what_was_never_read_to_the_end(northfield, warehouse):
    world = small_company()
    simulator = Simulator(world)
    source = sources_of(northfield, simulator)[0]
    simulator.faults.add("forbidden", path="workorders")
    for run_id in ("failed", "second", "third"):
        refresh.reconcile_organisation(source, warehouse, RefreshReport(run_id), is_full=True)
    assert runs(warehouse, "run_id, kind, status") == [
        ("failed", "reconcile", "failed"), ("second", "reconcile", "finished"), ("third", "reconcile", "finished")
    ]  # fmt: skip
    assert stored(warehouse, "ops.reconciliation", "scope", "run_id = 'third' desc")[0] == ("full",)


def test_before_any_finished_run_nothing_is_published_and_each_reason_is_given(settings, warehouse):
    report = RefreshReport("r", failed={NORTHFIELD: "Unauthorized: the token is refused"})
    with pytest.raises(NothingReadable, match="organisation 101: Unauthorized: the token is refused"):
        refresh.publish_all(settings, warehouse, report, lambda _: None)


# the warehouse a run begins with


def test_an_empty_warehouse_beside_a_backup_is_refused(northfield, warehouse):
    refresh.check_warehouse(northfield, warehouse)
    refreshed(northfield, warehouse, Simulator(small_company()))
    backup.write_backup(warehouse.connection, northfield.backup_dir)
    refresh.check_warehouse(northfield, warehouse)
    for table in everything(warehouse):
        warehouse.execute(f"delete from {table}")
    with pytest.raises(LostWarehouse, match=r"is empty, but there is a backup in .*make restore"):
        refresh.check_warehouse(northfield, warehouse)


def test_a_warehouse_of_another_source_is_refused(northfield, warehouse):
    refresh.check_warehouse(northfield, warehouse)
    refreshed(northfield, warehouse, Simulator(small_company()))
    refresh.check_warehouse(northfield, warehouse)
    with pytest.raises(OtherSource):
        refresh.check_warehouse(northfield.model_copy(update={"maintainx_url": "https://api.getmaintainx.com/v1"}), warehouse)


# the first load


def many_orders() -> World:
    return company(work_orders=[order(number, timeItems=[labour(number)]) for number in range(1, 651)])


def log_without_runs(warehouse: DuckDBWarehouse) -> list[list[tuple]]:
    exclude = "* exclude (run_id)"
    orders = stored(warehouse, "raw.work_orders", exclude)
    state = stored(warehouse, "ops.state", exclude)
    return [orders, state, stored(warehouse, "raw.work_orders_latest"), stored(warehouse, "raw.work_order_time_items")]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple]]:
    with new_warehouse(tmp_path_factory.mktemp("whole")) as warehouse, client_of(Simulator(many_orders())) as client:
        sync.sync(BY_TABLE["work_orders"], client, warehouse, run())
        return log_without_runs(warehouse)


@pytest.mark.parametrize("crashes", [[1], [3], [5], [1, 3, 1]], ids=str)
@pytest.mark.parametrize("place", ["sync.before_batch", "sync.after_batch"])
def test_a_first_load_interrupted_at_any_batch_goes_on_where_it_was_and_equals_an_uninterrupted_one(
    tmp_path, uninterrupted, crashes, place, monkeypatch
):
    monkeypatch.setattr(first_load, "SLICE_ROWS", 50)  # four slices of a small company
    simulator = Simulator(many_orders())
    with new_warehouse(tmp_path) as warehouse, client_of(simulator) as client:
        for number, nth in enumerate(crashes):
            with failpoint.arm(failpoint.at(place, nth, failpoint.crash)), pytest.raises(failpoint.Crashed):
                sync.sync(BY_TABLE["work_orders"], client, warehouse, run(f"crashed-{number}"))
        before = stored(warehouse, "raw.work_orders", "count(*)")[0][0]
        done = sync.sync(BY_TABLE["work_orders"], client, warehouse, run("last"))
        assert log_without_runs(warehouse) == uninterrupted
    assert done.counts.inserted == 650 - before
    assert done.is_first_load == (before == 0)


# the shape of the rows


def test_where_rows_carry_no_asset_id_the_asset_is_asked_for_from_the_first_run_on(northfield, warehouse):
    world = company(work_orders=[order(number, assetId=None, asset={"id": 1, "name": "Asset 1"}) for number in (1, 2)])
    simulator = Recording(world)
    for hours in (0, 1):
        world.advance(timedelta(hours=hours))
        world.add("work_orders", NORTHFIELD, order(10 + hours, assetId=1 if hours else None, createdAt=ago(hours=-hours), asset={"id": 1}))
        simulator.asked.clear()
        refreshed(northfield, warehouse, simulator)
    asked = [query for path, query in simulator.asked if path == "workorders"]
    assert asked
    assert all(("expand", "asset") in query for query in asked)
    assert stored(warehouse, "raw.work_orders", "id, version_number, asset_id") == [(1, 1, 1), (2, 1, 1), (10, 1, 1), (11, 1, 1)]
    assert len(set(stored(warehouse, "raw.work_orders", "shape_version"))) == 1


def test_where_rows_carry_their_asset_id_the_asset_is_never_asked_for(northfield, warehouse):
    simulator = Recording(small_company())
    refreshed(northfield, warehouse, simulator)
    asked = [query for path, query in simulator.asked if path == "workorders"]
    assert asked
    assert not any(("expand", "asset") in query for query in asked)


def test_every_list_of_an_endpoint_is_asked_in_one_shape_by_sync_and_reconciliation_alike(northfield, warehouse):
    world = small_company()
    simulator = Recording(world)
    for _ in range(2):
        refreshed(northfield, warehouse, simulator)
        world.advance(timedelta(days=1))
    shapes: dict[str, set[frozenset[str]]] = {}
    for path, query in simulator.asked:
        if "/" not in path and path != "organizations":
            shapes.setdefault(path, set()).add(frozenset(value for name, value in query if name == "expand"))
    assert shapes == {one.path[1:]: {frozenset(one.expands)} for one in ENDPOINTS if one.table != "organizations"}
    assert all(("show_upcoming", "true") in query for path, query in simulator.asked if path == "workorders")


def test_comparisons_may_use_a_share_of_what_the_announced_limit_allows_in_a_day_divided_among_the_organisations(settings):
    simulator = Simulator(small_company(), Options(rate_limit=200))
    sources = [replace(source, settings=settings) for source in sources_of(settings, simulator)]
    assert [source.reconciling_requests() for source in sources] == [200 * 1440 // 100 // 2] * 2
    unasked = settings.model_copy(update={"maintainx_url": "https://never.test/v1", "reconcile_share": 0.05})
    assert Source(unasked, Organisation(1), sends_header=False).reconciling_requests() == 100 * 1440 // 20


def test_a_budget_is_shared_by_all_clients_of_one_token(settings):
    sources = sources_of(settings, Simulator(small_company()))
    other = replace(sources[0], settings=settings.model_copy(update={"maintainx_url": "https://other.test/v1"}))
    asked = ((sources[0], "a"), (sources[1], "a"), (sources[0], "b"), (other, "a"))
    budgets = [organisations.budget(source.settings, token) for source, token in asked]
    assert [budgets.index(one) for one in budgets] == [0, 0, 2, 3]


def test_an_address_with_a_slip_of_the_pen_does_not_stay_with_a_warehouse_that_read_nothing(northfield, warehouse):
    refresh.check_warehouse(northfield.model_copy(update={"maintainx_url": "https://api.getmaintanix.com/v1"}), warehouse)
    refresh.check_warehouse(northfield, warehouse)
    assert stored(warehouse, "ops.source") == [("maintainx.test",)]

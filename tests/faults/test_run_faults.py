"""A token that is revoked or another organisation's, a first load that is interrupted, a clock that lies at either end of a run."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from dagster_project import refresh, rolling
from dagster_project.breakers import Breaker
from dagster_project.maintainx.errors import Unauthorized
from dagster_project.organisations import Source
from dagster_project.settings import Settings
from dagster_project.sites import Organisation
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.figures import _TROUBLES
from simulator.transport import transport
from tests.faults.plant_builder import Plant


def source_of(plant: Plant, folder: Path) -> Source:
    """Return how a refresh reaches a plant."""
    given = Settings(maintainx_url="http://mx/v1", maintainx_token=SecretStr(f"demo-{plant.organisation}"), data_dir=folder)
    return Source(given, Organisation(plant.organisation), False, transport(plant.simulator))


def test_a4_a_revoked_token_ends_the_run_of_its_organisation_after_one_request_each(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.simulator.faults.add("unauthorized", times=None)
    report = refresh.RefreshReport("run-401")
    source = source_of(plant, tmp_path)
    refresh.read_organisation(source, warehouse, report)
    assert "MAINTAINX_TOKEN" in report.failed[plant.organisation]
    assert plant.simulator.requests.total() == 1


def test_a4_a_token_that_is_revoked_on_the_way_is_not_tried_for_every_endpoint(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.locations(range(1, 10))
    plant.simulator.faults.add("unauthorized", path="users", times=None)
    plant.simulator.faults.add("unauthorized", path="teams", times=None)
    report = refresh.RefreshReport("run-users")
    source = source_of(plant, tmp_path)
    refresh.read_organisation(source, warehouse, report)
    assert plant.simulator.statuses[401] == 1
    assert plant.log("locations") == plant.truth("locations")
    status = "select status, started_at is not null, known_from from ops.runs where organisation_id = ?"
    assert warehouse.query(status, [plant.organisation]).rows() == [("failed", True, None)]


@pytest.mark.parametrize("nth", [4, 7])
def test_a4_a_first_load_that_was_interrupted_never_claims_to_have_read_everything(plant, nth):
    plant.simulator.faults.add("unauthorized", path="workorders", nth=nth)
    with pytest.raises(Unauthorized):
        plant.sync()
    assert not plant.sync().is_first_load
    assert plant.log() == plant.truth()


def test_a12_records_of_another_organisation_never_complete_a_first_load(warehouse):
    plant = Plant(warehouse, cap=7)
    plant.orders(range(1, 41))
    plant.simulator.rewritten = (f'"organizationId":{plant.organisation}'.encode(), b'"organizationId":7')
    with pytest.raises(Breaker, match="every record belongs to organisation 7"):
        plant.sync()
    plant.simulator.rewritten = (b"", b"")
    plant.world.advance(timedelta(hours=1))
    plant.sync()
    assert plant.log() == plant.truth()


def test_c4_one_absurd_clock_at_the_end_of_a_run_does_not_date_what_is_known_for_ever(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.locations(range(1, 5))
    source = source_of(plant, tmp_path)
    plant.simulator.faults.add("clock_skew", path="organizations", nth=3, details={"seconds": 10 * 365 * 86_400})
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-skew"))
    known = warehouse.query("select max(known_from) as at from ops.runs where organisation_id = ?", [plant.organisation])["at"].item()
    assert known is not None
    assert known <= plant.world.instant + timedelta(hours=2)


def test_c4_one_absurd_clock_at_the_start_of_a_run_is_set_right_by_the_next_one(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.locations(range(1, 5))
    source, said = source_of(plant, tmp_path), []
    object.__setattr__(source, "say", said.append)
    plant.simulator.faults.add("clock_skew", path="organizations", times=None, details={"seconds": 10 * 365 * 86_400})
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-1"))
    plant.simulator.faults.clear()
    plant.world.advance(timedelta(hours=1))
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-2"))
    known = "select run_id, known_from, finished_at from ops.runs where organisation_id = ? order by run_id"
    rows = warehouse.query(known, [plant.organisation]).rows()
    assert [run_id for run_id, *_ in rows] == ["run-1", "run-2"]
    assert {instant for _, *instants in rows for instant in instants} == {plant.world.instant}
    audited = warehouse.query("select run_id, action, detail from ops.audit where organisation_id = ?", [plant.organisation]).rows()
    assert [row[:2] for row in audited] == [("run-2", "clock_set_right")]
    assert "the source's clock was in the future at run run-1" in audited[0][2]
    assert any("in the future at run run-1" in text for text in said)


def test_c4_one_absurd_clock_in_the_past_takes_back_nothing_that_is_known(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.locations(range(1, 5))
    source = source_of(plant, tmp_path)
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-1"))
    plant.world.advance(timedelta(hours=1))
    plant.simulator.faults.add("clock_skew", path="organizations", details={"seconds": -10 * 365 * 86_400})
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-2"))
    known = "select known_from from ops.runs where organisation_id = ? and run_id = 'run-1'"
    assert warehouse.query(known, [plant.organisation])["known_from"].item() == plant.world.instant - timedelta(hours=1)
    assert warehouse.query("select * from ops.audit where organisation_id = ?", [plant.organisation]).height == 0


@pytest.mark.parametrize("fault", ["forbidden", "not_found"])
def test_e3d_an_optional_list_that_is_refused_after_it_was_read_is_named_as_stale_and_stops_nothing(warehouse, tmp_path, fault):
    plant = Plant(warehouse)
    plant.locations(range(1, 5))
    plant.world.add("vendors", plant.organisation, {"id": 1, "name": "Acme"})
    source = source_of(plant, tmp_path)
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-1"))
    plant.world.advance(timedelta(hours=1))
    plant.locations([5])
    plant.simulator.faults.add(fault, path="vendors", times=None)
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-2"))
    found = "select endpoint, status, reason from ops.endpoint_runs where organisation_id = ? and run_id = 'run-2' and status <> 'ok'"
    [(endpoint, status, reason)] = warehouse.query(found, [plant.organisation]).rows()
    assert (endpoint, status) == ("vendors", "stale")
    assert reason.endswith("; what it gave before stands as it was then: check the role of the token's user")
    known = "select status, known_from, error from ops.runs where organisation_id = ? and run_id = 'run-2'"
    [(status, known_from, error)] = warehouse.query(known, [plant.organisation]).rows()
    assert (status, known_from) == ("finished", plant.world.instant)
    assert error.startswith("vendors: ")
    assert set(plant.log("locations")) == {1, 2, 3, 4, 5}
    assert set(plant.log("vendors")) == {1}
    assert (plant.organisation, "vendors could not be read (sync)", reason) in warehouse.query(_TROUBLES).rows()


def test_d3_a_team_of_bad_bytes_goes_to_quarantine_and_the_others_load(warehouse):
    plant = Plant(warehouse)
    for id_ in (1, 2, 3):
        plant.world.add("teams", plant.organisation, {"id": id_, "name": f"team {id_}", "members": []})
    plant.simulator.rewritten = (b'"name":"team 2"', b'"name":NaN')
    plant.sync("teams")
    assert set(plant.log("teams")) == {1, 3}
    assert [id_ for id_, *_ in plant.quarantine()] == [2]


FAILURES = {
    "a refused token": lambda plant: plant.simulator.faults.add("unauthorized", times=None),
    "a role that sees no orders": lambda plant: plant.simulator.faults.add("forbidden", path="workorders", times=None),
    "a list that lost its rows": lambda plant: plant.simulator.faults.add("empty", path="locations", times=None),
    "a login page": lambda plant: plant.simulator.faults.add("respond", path="users", times=None, details={"body": "<html>Sign in</html>"}),
}


def test_g7_when_one_site_fails_the_others_are_fresh_and_it_is_named(warehouse, tmp_path):
    plants = plants_of(warehouse, 3)
    FAILURES["a refused token"](plants[1])
    assert list(read_once(plants, warehouse, tmp_path).failed) == [plants[1].organisation]
    assert [plant.log() == plant.truth() for plant in plants] == [True, False, True]


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES)
def test_g7_when_one_site_of_twenty_fails_the_others_are_fresh_and_it_keeps_its_last_good_data(warehouse, tmp_path, failure):
    plants = plants_of(warehouse, 20)
    assert read_once(plants, warehouse, tmp_path).failed == {}
    FAILURES[failure](plants[7])
    for plant in plants:
        plant.world.advance(timedelta(hours=1))
        plant.change("work_orders", 2, title="changed")
    report = read_once(plants, warehouse, tmp_path)
    assert list(report.failed) == [plants[7].organisation]
    assert [plant.organisation for plant in plants if plant.log()[2][0] != "changed"] in ([], [plants[7].organisation])
    assert plants[7].log("locations") == plants[7].truth("locations")
    status = "select organisation_id, status, known_from is not null from ops.runs where run_id = ? order by 1"
    assert warehouse.query(status, [report.run_id]).rows() == [
        (plant.organisation, *(("failed", False) if plant is plants[7] else ("finished", True))) for plant in plants
    ]


def plants_of(warehouse: DuckDBWarehouse, number: int) -> list[Plant]:
    plants = [Plant(warehouse) for _ in range(number)]
    for plant in plants:
        plant.locations(range(1, 4))
        plant.orders(range(1, 4))
    return plants


def read_once(plants: list[Plant], warehouse: DuckDBWarehouse, folder: Path) -> refresh.RefreshReport:
    report = refresh.RefreshReport(refresh.new_run_id())
    for plant in plants:
        refresh.read_organisation(source_of(plant, folder), warehouse, report)
    return report


def test_a3_what_a_failed_reading_cost_is_written_and_counts_against_the_requests_of_the_day(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.orders(range(1, 11))
    source = source_of(plant, tmp_path)
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-before"))
    plant.world.advance(timedelta(days=2))
    plant.world.table("work_orders", plant.organisation).rows.store(3, None)
    plant.simulator.faults.add("respond", path="workorders/3", times=None, details={"status": 400, "body": {"error": "no"}})
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-refused"))
    spent = "select requests from ops.reconciliation where organisation_id = ? and endpoint = 'work_orders' and status = 'failed'"
    assert warehouse.query(spent, [plant.organisation]).rows() == [(2,)]
    assert rolling.spent(warehouse, plant.organisation, plant.world.instant) >= 2

"""A token that is revoked or another organisation's, a first load that is interrupted, a clock that lies at the end of a run."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from dagster_project import refresh
from dagster_project.maintainx.errors import Unauthorized
from dagster_project.settings import Settings
from dagster_project.sites import Organisation
from dagster_project.sync import Breaker
from simulator.transport import transport
from tests.faults.plant_builder import Plant


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


def test_records_of_another_organisation_never_complete_a_first_load(warehouse):
    plant = Plant(warehouse, cap=7)
    plant.orders(range(1, 41))
    plant.simulator.rewritten = (f'"organizationId":{plant.organisation}'.encode(), b'"organizationId":7')
    with pytest.raises(Breaker, match="every record belongs to organisation 7"):
        plant.sync()
    plant.simulator.rewritten = (b"", b"")
    plant.world.advance(timedelta(hours=1))
    plant.sync()
    assert plant.log() == plant.truth()


def test_one_absurd_clock_at_the_end_of_a_run_does_not_date_what_is_known_for_ever(warehouse, tmp_path):
    plant = Plant(warehouse)
    plant.locations(range(1, 5))
    given = Settings(maintainx_url="http://mx/v1", maintainx_token=SecretStr(f"demo-{plant.organisation}"), data_dir=tmp_path)
    source = refresh.Source(given, Organisation(plant.organisation), False, transport(plant.simulator))
    plant.simulator.faults.add("clock_skew", path="organizations", nth=3, details={"seconds": 10 * 365 * 86_400})
    refresh.read_organisation(source, warehouse, refresh.RefreshReport("run-skew"))
    known = warehouse.query("select max(known_from) as at from ops.runs where organisation_id = ?", [plant.organisation])["at"].item()
    assert known is not None
    assert known <= plant.world.instant + timedelta(hours=2)


def test_a_team_of_bad_bytes_goes_to_quarantine_and_the_others_load(warehouse):
    plant = Plant(warehouse)
    for id_ in (1, 2, 3):
        plant.world.add("teams", plant.organisation, {"id": id_, "name": f"team {id_}", "members": []})
    plant.simulator.rewritten = (b'"name":"team 2"', b'"name":NaN')
    plant.sync("teams")
    assert set(plant.log("teams")) == {1, 3}
    assert [id_ for id_, *_ in plant.quarantine()] == [2]

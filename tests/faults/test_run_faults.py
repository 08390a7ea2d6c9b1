"""A token that is revoked, and a first load that is interrupted."""

import pytest
from pydantic import SecretStr

from dagster_project import refresh
from dagster_project.maintainx.errors import Unauthorized
from dagster_project.settings import Settings
from dagster_project.sites import Organisation
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

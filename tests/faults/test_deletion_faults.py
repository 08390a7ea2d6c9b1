"""Records that come and go: nothing that exists is deleted."""

import json
from datetime import timedelta

import pytest

from dagster_project.maintainx.errors import MaintainXError, ProtocolError
from dagster_project.sync import Breaker


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

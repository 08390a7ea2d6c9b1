"""Rows that break the contract: each goes to quarantine, its neighbours load."""

import json
from datetime import timedelta

import pytest

from dagster_project.maintainx.errors import Unauthorized
from dagster_project.sync import Breaker
from simulator.instants import HOUR, iso
from tests.faults.plant_builder import START, Plant

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
    "nested beyond the cap": b'"title":"order 20","new":' + b'{"a":[' * 32 + b"1" + b"]}" * 32,
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


def test_an_expand_that_this_maintainx_does_not_know_is_left_out_and_reported(plant):
    plant.simulator.unknown_expand = "estimated_time"
    report = plant.sync()
    assert plant.log() == plant.truth()
    assert (report.status, report.reason) == ("ok", "this MaintainX does not know expand=estimated_time: what it brings stays empty")
    drift = "select kind, field from ops.drift where organisation_id = ?"
    assert plant.warehouse.query(drift, [plant.organisation]).rows() == [("refused_expand", "estimated_time")]


def test_a_first_load_that_was_interrupted_goes_on_without_the_expand_that_is_not_known(plant):
    plant.simulator.unknown_expand = "estimated_time"
    plant.simulator.faults.add("unauthorized", path="workorders", nth=9)
    with pytest.raises(Unauthorized):
        plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()

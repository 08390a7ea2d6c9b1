"""Rows that break the contract: each goes to quarantine, its neighbours load."""

import json
from datetime import timedelta
from typing import Any

import pytest

from dagster_project.maintainx.errors import Unauthorized
from dagster_project.sync import Breaker
from simulator.instants import HOUR, iso
from tests.faults.plant_builder import START, Plant


def only_bad_row(plant: Plant, reason: str) -> None:
    """Sync, and check that order 20 alone went to quarantine, that it heals once it is mended, and that the watermark goes on."""
    plant.sync()
    assert plant.log() == {id_: row for id_, row in plant.truth().items() if id_ != 20}
    assert [(id_, why, status) for id_, why, status, _ in plant.quarantine()] == [(20, reason, "open")]
    assert plant.watermark() == plant.world.instant - timedelta(hours=360)
    plant.simulator.faults.clear()
    plant.simulator.rewritten = (b"", b"")
    plant.change("work_orders", 20, title="mended")
    plant.sync()
    assert plant.log() == plant.truth()
    assert [status for _, _, status, _ in plant.quarantine()] == ["replayed"]


def patched(plant: Plant, fields: dict[str, Any]) -> None:
    """Let the source give order 20 with these fields."""
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {"20": fields}})


SHAPES: dict[str, dict[str, Any]] = {
    "a required field is null": {"title": None},
    "a text is a list": {"status": ["OPEN"]},
    "a list is an object": {"assignees": {"id": 1}},
    "an object is a list": {"extraFields": []},
    "an entry is a number": {"timeItems": [7]},
    "an entry lacks its id": {"parts": [{"name": "x"}]},
    "an object has become a text": {"recurrenceInfo": "DAILY"},
    "entries are nested once more": {"categories": [["a"]]},
}


@pytest.mark.parametrize("fields", SHAPES.values(), ids=SHAPES)
def test_d2_a_row_of_another_shape_goes_to_quarantine_and_its_neighbours_load(plant, fields):
    patched(plant, fields)
    only_bad_row(plant, "type")


@pytest.mark.parametrize("name", ["title", "status", "sequentialId", "updatedAt", "createdAt"])
def test_d2_a_row_without_a_required_key_goes_to_quarantine(plant, name):
    value = json.loads(plant.world.table("work_orders", plant.organisation).rows.encoded[20])[name]
    plant.simulator.rewritten = (f'"{name}":{json.dumps(value)}'.encode(), f'"{name}Old":{json.dumps(value)}'.encode())
    plant.sync()
    assert {(id_, why) for id_, why, _, _ in plant.quarantine()} >= {(20, "type")}
    assert 20 not in plant.log()


def test_d2_an_optional_key_that_is_renamed_is_null_and_reported_as_drift(plant):
    plant.simulator.rewritten = (b'"priority":', b'"urgency":')
    plant.sync()
    assert plant.log() == plant.truth()
    found = "select count(*), count(priority) from raw.work_orders where organisation_id = ? and payload like '%urgency%'"
    assert plant.warehouse.query(found, [plant.organisation]).rows() == [(40, 0)]
    assert plant.drift() == [("unknown_key", "urgency", None)]


VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "text is a number": ({"title": 7}, "type"),
    "integer in digits": ({"sequentialId": "7"}, "type"),
    "fraction": ({"sequentialId": 7.9}, "type"),
    "true": ({"sequentialId": True}, "type"),
    "estimate in digits": ({"estimatedTime": "3600"}, "type"),
    "no date": ({"updatedAt": "yesterday"}, "type"),
    "epoch": ({"createdAt": 1_700_000_000}, "type"),
    "no offset": ({"dueDate": "2026-11-16T06:00:00"}, "type"),
    "no offset of updatedAt": ({"updatedAt": "2026-10-31T10:00:00"}, "type"),
    "no offset of createdAt": ({"createdAt": "2026-10-31T10:00:00"}, "type"),
    "before the calendar": ({"dueDate": "0001-01-01T00:00:00+02:00"}, "out_of_range"),
    "year 10000": ({"dueDate": "10000-01-01T00:00:00Z"}, "type"),
    "duration beyond 64 bits": ({"timeItems": [{"type": "TIME", "durationTotal": 1e30}]}, "type"),
    "flag is a word": ({"dueDateIsFullDay": "yes"}, "type"),
}


@pytest.mark.parametrize(("fields", "reason"), VALUES.values(), ids=VALUES)
def test_d3_a_value_of_another_type_is_never_coerced_but_goes_to_quarantine(plant, fields, reason):
    patched(plant, fields)
    only_bad_row(plant, reason)


NUMBERS = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e3": b"1e3",
    "1.0": b"1.0",
    "1e400": b"1e400",
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_d3_a_number_that_is_no_integer_is_never_taken_for_one(plant, number):
    plant.simulator.rewritten = (b'"sequentialId":20,', b'"sequentialId":' + number + b",")
    plant.sync()
    assert plant.log() == {id_: row for id_, row in plant.truth().items() if id_ != 20}
    assert [id_ for id_, *_ in plant.quarantine()] == [20]


def test_d4_a_status_that_is_new_is_kept_as_it_is_and_reported_as_drift(plant):
    plant.change("work_orders", 20, status="ARCHIVED")
    plant.sync()
    found = "select status from raw.work_orders where organisation_id = ? and id = 20"
    assert plant.warehouse.query(found, [plant.organisation]).rows() == [("ARCHIVED",)]
    assert plant.drift() == [("unknown_value", "status", "ARCHIVED")]
    assert plant.quarantine() == []


IDS: dict[str, tuple[bytes, int | None]] = {
    "2^63": (b"9223372036854775808", None),
    "10^40": (b"1" + b"0" * 40, None),
    "negative": (b"-20", -20),
    "0": (b"0", 0),
    "digits": (b'"20"', None),
    "null": (b"null", None),
    "true": (b"true", None),
    "fraction": (b"20.5", None),
    "missing": (b"", None),
    "list": (b"[20]", None),
}


@pytest.mark.parametrize(("text", "kept"), IDS.values(), ids=IDS)
def test_d5_a_row_whose_id_is_none_goes_to_quarantine_and_its_neighbours_load(plant, text, kept):
    plant.simulator.rewritten = (b'"id":20,', b'"id":' + text + b"," if text else b"")
    plant.sync()
    assert plant.log() == {id_: row for id_, row in plant.truth().items() if id_ != 20}
    assert [(id_, why) for id_, why, _, _ in plant.quarantine()] == [(kept, "unreadable_key")]


REFERENCES: dict[str, dict[str, Any]] = {
    "2^63": {"sequentialId": 2**63},
    "negative": {"sequentialId": -1},
    "0": {"locationId": 0},
    "10^40": {"assetId": 10**40},
    "digits": {"assetId": "12"},
    "assignee of letters": {"assignees": [{"type": "USER", "id": "u-12"}]},
    "assignee of 31 digits": {"assignees": [{"type": "USER", "id": str(10**30)}]},
}


@pytest.mark.parametrize("fields", REFERENCES.values(), ids=REFERENCES)
def test_d5_a_row_that_refers_to_an_impossible_id_goes_to_quarantine(plant, fields):
    patched(plant, fields)
    only_bad_row(plant, "type")


@pytest.mark.parametrize("id_", [2**53 + 1, 2**53 + 3, 2**63 - 1], ids=["2^53+1", "2^53+3", "2^63-1"])
def test_d5_a_large_id_is_kept_to_the_last_digit(plant, id_):
    plant.orders([50], assetId=id_)
    plant.add_order(id_, START, START)
    plant.sync()
    found = "select id from raw.work_orders where organisation_id = ? and asset_id = ? or id = ? order by id"
    assert plant.warehouse.query(found, [plant.organisation, id_, id_])["id"].to_list() == [50, id_]


BAD_BYTES = {
    "lone surrogate": (b'"title":"\\ud800"', "unreadable_key"),
    "no unicode": (b'"title":"\xff"', "unreadable"),
    "nested deeply": (b'"title":"order 20","new":' + b'{"a":' * 900 + b"1" + b"}" * 900, "unreadable"),
}


@pytest.mark.parametrize(("text", "reason"), BAD_BYTES.values(), ids=BAD_BYTES)
def test_d6_a_row_of_bad_bytes_goes_to_quarantine_and_its_neighbours_load(plant, text, reason):
    plant.simulator.rewritten = (b'"title":"order 20"', text)
    only_bad_row(plant, reason)


TWICE = {
    "at the top": b'"title":"order 20","title":"other"',
    "escaped": b'"title":"order 20","\\u0074itle":"other"',
    "inside": b'"title":"order 20","location":{"id":1,"name":"a","id":2}',
    "in a list": b'"title":"order 20","vendorIds":[{"id":1},{"id":1,"id":1}]',
    "a label": b'"title":"order 20","extraFields":{"Cost":"1","Cost":"2"}',
    "spaced": b'"title":"order 20","title" : "other"',
    "beside a quote": b'"title":"order 20","title":"other","description":"\\u0022: a"',
}


@pytest.mark.parametrize("text", TWICE.values(), ids=TWICE)
def test_d7_a_row_with_a_key_twice_goes_to_quarantine_and_names_it(plant, text):
    plant.simulator.rewritten = (b'"title":"order 20"', text)
    only_bad_row(plant, "duplicate_key")
    found = "select field from ops.quarantine where organisation_id = ?"
    assert plant.warehouse.query(found, [plant.organisation])["field"].item() in {"title", "id", "Cost"}


def test_d7_a_text_that_looks_like_keys_is_no_duplicate(plant):
    plant.change("work_orders", 20, description='{"a":1,"a":2} and "b": c', extraFields={'"x":': "1", "a": "2", "A": "3"})
    plant.sync()
    assert plant.log() == plant.truth()
    assert plant.quarantine() == []


def test_d7_of_two_rows_with_one_id_in_one_page_the_later_one_counts(plant):
    twin = plant.world.table("work_orders", plant.organisation).rows.encoded[20]
    plant.simulator.rewritten = (twin[:-1], twin[:-1] + b',"n":1},' + twin.replace(b'"order 20"', b'"later"')[:-1])
    report = plant.sync()
    assert plant.log()[20][0] == "later"
    assert report.counts.deduplicated > 0
    assert len(plant.versions(20)) == 1


LABELS = [
    'a";drop table raw.work_orders;--',
    "__proto__",
    "",
    "x" * 300,
    "Cost",
    "cost",
    "status",
    "id",
    "\u202eabc",
    "a\x00b",
    "{{ 7*7 }}",
    "%(x)s",
]


def test_d8_labels_of_custom_fields_are_data_whatever_they_say(plant):
    fields = {label: f"value {number}" for number, label in enumerate(LABELS)}
    plant.change("work_orders", 20, extraFields=fields)
    plant.sync()
    found = "select label, value from raw.work_order_custom_fields where organisation_id = ? and id = 20"
    assert dict(plant.warehouse.query(found, [plant.organisation]).rows()) == fields
    assert plant.log() == plant.truth()
    assert plant.drift() == []


def test_d9_references_to_what_is_gone_and_circles_of_places_are_kept_as_they_are(plant):
    plant.change("work_orders", 20, assetId=404, locationId=405, creatorId=406)
    for id_, parent in ((1, 2), (2, 1), (3, 3), (4, 999)):
        plant.world.add("locations", plant.organisation, {"id": id_, "name": f"place {id_}", "parentId": parent})
    plant.sync()
    plant.sync("locations")
    assert plant.log() == plant.truth()
    assert plant.log("locations") == plant.truth("locations")
    assert plant.quarantine() == []


def test_d10_a_row_of_another_organisation_goes_to_quarantine_and_its_neighbours_load(plant):
    patched(plant, {"organizationId": 7})
    only_bad_row(plant, "wrong_organisation")


ODD_TEXTS = {
    "NUL": "a\x00b", "BOM": "\ufeffa", "right to left": "\u202eabc", "zero width": "a\u200bb", "emoji": "😀", "NFC": "é", "NFD": "e\u0301",
    "CRLF": "a\r\nb", "tab": "a\tb", "empty": "", "1 MB": "x" * 1_000_000, "quotes": '"\\\'`', "not a character": "\uffff",
}  # fmt: skip


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_d6_an_odd_text_is_kept_to_the_last_character(plant, text):
    patched(plant, {"title": text, "description": text})
    plant.sync()
    assert plant.quarantine() == []
    found = "select title, description, payload from raw.work_orders where organisation_id = ? and id = 20"
    title, description, payload = plant.warehouse.query(found, [plant.organisation]).row(0)
    assert (title, description, json.loads(payload)["title"]) == (text, text, text)


ODD_FIELDS: dict[str, dict[str, Any]] = {
    "a new key": {"newKey": {"deep": [1]}}, "a null": {"description": None}, "no type": {"type": None},
    "another offset": {"dueDate": "2026-11-15T23:00:00+02:00"},
}  # fmt: skip


@pytest.mark.parametrize("fields", ODD_FIELDS.values(), ids=ODD_FIELDS)
def test_d1_an_odd_row_within_the_contract_is_kept_as_it_is(plant, fields):
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {"20": fields}})
    plant.sync()
    assert plant.quarantine() == []
    found = "select payload from raw.work_orders where organisation_id = ? and sequential_id = 20"
    raw = plant.warehouse.query(found, [plant.organisation])["payload"].item()
    wanted = {name: value for name, value in fields.items() if value is not None}
    assert {name: json.loads(raw)[name] for name in wanted} == wanted


@pytest.mark.parametrize("id_", [1, 30, 40], ids=["in the first row", "in a row of a later page", "in the last row"])
def test_d1_a_key_that_is_new_is_kept_and_reported_wherever_it_stands_first(plant, id_):
    plant.simulator.faults.add("patch", path="workorders", times=None, details={"rows": {str(id_): {"surprise": {"a": [1]}}}})
    plant.sync()
    payload = "select payload from raw.work_orders where organisation_id = ? and id = ?"
    assert json.loads(plant.warehouse.query(payload, [plant.organisation, id_])["payload"].item())["surprise"] == {"a": [1]}
    assert plant.drift() == [("unknown_key", "surprise", None)]


def test_d11_a_format_that_changed_for_most_rows_stops_the_endpoint_and_keeps_the_log(warehouse):
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


def test_d10_a_bad_row_is_one_row_of_quarantine_however_its_volatile_fields_move(plant):
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


def test_d11_the_rows_that_tripped_a_breaker_are_kept_as_evidence(warehouse):
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
    plant.simulator.faults.add("unauthorized", path="workorders", nth=7)
    with pytest.raises(Unauthorized):
        plant.sync()
    plant.sync()
    assert plant.log() == plant.truth()


def test_d11_records_that_somebody_gave_up_do_not_stop_their_endpoint_again(warehouse):
    plant = Plant(warehouse)
    for id_ in range(1, 1001):
        plant.world.add("vendors", plant.organisation, {"id": id_, "name": 7 if id_ <= 60 else f"vendor {id_}"})
    with pytest.raises(Breaker, match="60 of 1000 records"):
        plant.sync("vendors")
    given_up = warehouse.query("select * from ops.quarantine where organisation_id = ?", [plant.organisation]).to_dicts()
    warehouse.discard(given_up, [])
    assert plant.sync("vendors").counts.quarantined == 60
    assert len(plant.log("vendors")) == 940

"""One record: its key, its canonical form and hash, personal data, strict types, and what quarantine says of it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.frames import records
from dagster_project.frames.contract import contract
from dagster_project.frames.records import Canonical, Rejected
from tests.small_world import DECCAN, NORTHFIELD, order, raw

CANARY = "canary"
SCALARS = st.sampled_from([None, True, 0, -(2**70), 2**63, 7.9, 1e-9, "", "é", "a\x00", "7"])
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["b", "a", "email"]), SCALARS)
RECORDS = st.dictionaries(st.sampled_from(["id", "title", "status", "extraFields", "asset", "partsAvailability", "url"]), VALUES)


def canonical(record: object, volatile: frozenset[str] = frozenset({"partsAvailability"}), keep_personal: bool = False) -> Canonical:
    return records.canonical(raw(record), volatile, keep_personal)


def validated(record: object, table: str = "work_orders") -> Any:
    return records.validate(contract(table), canonical(record).payload, raw(record))


def without_detail(refused: Rejected) -> tuple:
    return refused.record_id, refused.reason_code, refused.field, refused.value


# the key


def test_a_key_is_read_though_all_else_is_broken():
    found = records.key(raw({"id": 5, "status": 7, "title": None}), NORTHFIELD)
    assert not isinstance(found, Rejected)
    assert found.id == 5


@pytest.mark.parametrize("owner", [None, NORTHFIELD, float(NORTHFIELD)])
def test_a_record_is_ours_when_it_says_so_or_says_nothing(owner):
    assert not isinstance(records.key(raw({"id": 5, "organizationId": owner}), NORTHFIELD), Rejected)


def test_a_record_of_another_organisation_is_refused():
    refused = records.key(raw({"id": 5, "organizationId": DECCAN}), NORTHFIELD)
    assert isinstance(refused, Rejected)
    assert without_detail(refused) == (5, "wrong_organisation", "organizationId", "102")


@pytest.mark.parametrize("record_id", ["7", 7.9, True, None, 0, -1, 2**63, 10**40])
def test_an_id_that_is_no_positive_64_bit_integer_is_refused(record_id):
    refused = records.key(raw({"id": record_id}), NORTHFIELD)
    assert isinstance(refused, Rejected)
    assert refused.reason_code == "unreadable_key"


def test_the_largest_id_is_exact():
    found = records.key(b'{"id":9223372036854775807}', NORTHFIELD)
    assert not isinstance(found, Rejected)
    assert found.id == 2**63 - 1


@pytest.mark.parametrize("broken", [b"", b"[1]", b"7", b'{"id":1', b'{"title":"no id"}', b'{"id":NaN}'])
def test_bytes_without_a_key_are_refused(broken):
    refused = records.key(broken, NORTHFIELD)
    assert isinstance(refused, Rejected)
    assert (refused.record_id, refused.reason_code) == (None, "unreadable_key")


def test_a_key_that_cannot_be_read_still_tells_the_id_when_there_is_one():
    refused = records.key(raw({"id": 5, "organizationId": "northfield"}), NORTHFIELD)
    assert isinstance(refused, Rejected)
    assert (refused.record_id, refused.reason_code) == (5, "unreadable_key")
    assert (refused.field, refused.value) == ("organizationId", "northfield")


# the canonical form and its hash


@given(RECORDS, st.randoms())
def test_the_order_of_keys_and_the_spaces_between_them_never_matter(record, rng):
    names = list(record)
    rng.shuffle(names)
    again = {name: record[name] for name in names}
    spaced = json.dumps(again, indent=2).encode()
    assert records.canonical(spaced, frozenset(), keep_personal=False) == canonical(record, frozenset())


@given(RECORDS)
def test_the_canonical_form_of_a_canonical_form_is_itself(record):
    first = canonical(record)
    second = records.canonical(first.payload, frozenset({"partsAvailability"}), keep_personal=False)
    assert (second.payload, second.content_hash) == (first.payload, first.content_hash)


@given(RECORDS)
def test_a_null_hashes_like_an_absent_key(record):
    full = canonical(record)
    bare = canonical({name: value for name, value in record.items() if value is not None})
    assert full.content_hash == bare.content_hash


def test_a_volatile_field_is_kept_but_not_hashed():
    one, other = canonical(order(partsAvailability="NONE")), canonical(order(partsAvailability="ALL"))
    assert one.content_hash == other.content_hash
    assert b'"partsAvailability":"ALL"' in other.payload


def test_updated_at_is_hashed():
    assert canonical(order(updatedAt="2026-11-01T00:00:00.000Z")).content_hash != canonical(order()).content_hash


@pytest.mark.parametrize(
    "change",
    [{"title": "Other"}, {"assetId": 2}, {"extraFields": {"a": "1"}}, {"assignees": []}, {"unknownKey": 1}, {"title": "Order 1 "}],
    ids=lambda change: next(iter(change)),
)
def test_any_other_change_moves_the_hash(change):
    assert canonical(order(**change)).content_hash != canonical(order()).content_hash


def test_the_canonical_form_knows_the_keys_the_record_had():
    assert canonical({"id": 1, "email": "a@b", "new": None}).keys == frozenset({"id", "email", "new"})


def test_hashes_fit_a_signed_64_bit_integer():
    assert [records.signed(digest) for digest in (0, 2**63 - 1, 2**63, 2**64 - 1)] == [0, 2**63 - 1, -(2**63), -1]


@pytest.mark.parametrize("broken", [b"[]", b'"text"', b'{"a":"\\ud800"}', b'{"a":NaN}', b'{"a":1e400}', b'{"a":"\xff"}'])
def test_what_is_no_json_object_of_valid_text_has_no_canonical_form(broken):
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        records.canonical(broken, frozenset(), keep_personal=False)


def test_a_record_nested_too_deeply_has_no_canonical_form():
    with pytest.raises(RecursionError):
        records.canonical(b'{"id":1,"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}", frozenset(), keep_personal=False)


# personal data

PERSONAL = {
    "email": f"{CANARY}@example.org", "phoneNumber": f"+1 {CANARY}", "hourlyRate": f"{CANARY}", "lastVisitedAt": CANARY,
    "creatorContactInfo": {"email": CANARY}, "thumbnail": {"id": 1, "url": f"https://s3.test/{CANARY}"},
    "members": [{"id": 1, "email": CANARY, "deep": [{"phoneNumber": CANARY}]}],
}  # fmt: skip


def test_personal_data_and_signed_addresses_are_taken_out_at_any_depth():
    found = canonical(PERSONAL)
    assert json.loads(found.payload) == {"thumbnail": {"id": 1}, "members": [{"id": 1, "deep": [{}]}]}
    assert found.content_hash == canonical({"thumbnail": {"id": 1}, "members": [{"id": 1, "deep": [{}]}]}).content_hash


def test_personal_data_is_kept_when_the_settings_say_so():
    assert json.loads(canonical(PERSONAL, keep_personal=True).payload) == PERSONAL


def test_signed_addresses_and_the_last_visit_move_no_hash_even_where_personal_data_is_kept():
    later = {**PERSONAL, "lastVisitedAt": "later", "thumbnail": {"id": 1, "url": "https://s3.test/later"}}
    assert canonical(later, keep_personal=True).content_hash == canonical(PERSONAL, keep_personal=True).content_hash
    other = {**PERSONAL, "email": "other@example.org"}
    assert canonical(other, keep_personal=True).content_hash != canonical(PERSONAL, keep_personal=True).content_hash


def test_a_custom_field_is_never_taken_for_personal_data_by_its_label():
    fields = {"email": "press 3", "url": "panel B", "nested": {"phoneNumber": "x"}}
    assert json.loads(canonical({"id": 1, "extraFields": fields}).payload) == {"id": 1, "extraFields": fields}


@pytest.mark.parametrize(
    "bytes_read",
    [
        raw({**PERSONAL, "id": "no number"}),
        raw({**PERSONAL, "id": 1, "organizationId": DECCAN}),
        raw({**PERSONAL, "id": 1})[:-1] + b',"title":"\\ud800"}',
        raw({**PERSONAL, "id": 1})[:-1] + b',"title":"\xff"}',
        raw({**PERSONAL, "id": 1})[:-1],
        raw(PERSONAL)[:-1] + b',"deep":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"email" : "\\"canary", "phoneNumber":["canary"], "creatorContactInfo":{"a":{"b":"canary"},"c":"canary"}, "id":}',
    ],
    ids=["id", "organisation", "surrogate", "bytes", "cut", "deep", "garbled"],
)
def test_quarantine_holds_no_personal_data_however_broken_the_record_is(bytes_read):
    refused = records.key(bytes_read, NORTHFIELD)
    if not isinstance(refused, Rejected):
        refused = records.rejected(bytes_read, "unreadable", "the text is no valid Unicode")
    assert CANARY not in str(refused)
    assert refused.raw_json


def test_the_value_of_a_personal_field_is_not_shown():
    assert records.rejected(b"{}", "type", "…", "creator.email", f"{CANARY}@example.org").value is None


# strict types


def test_a_record_that_keeps_the_contract_is_typed():
    found = validated(order(7, dueDate="2026-11-20T05:00:00.000+02:00", asset={"id": 9}, assetId=None))
    assert (found.id, found.due_at.isoformat(), found.asset_id) == (7, "2026-11-20T05:00:00+02:00", 9)


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"assetId": "7"}, "assetId", "7"),
        ({"assetId": 7.9}, "assetId", "7.9"),
        ({"assetId": True}, "assetId", "True"),
        ({"assetId": 2**63}, "assetId", str(2**63)),
        ({"assetId": 0}, "assetId", "0"),
        ({"title": 5}, "title", "5"),
        ({"title": None}, "title", None),
        ({"dueDateIsFullDay": 1}, "dueDateIsFullDay", "1"),
        ({"dueDate": "2026-11-20T05:00:00"}, "dueDate", "2026-11-20T05:00:00"),
        ({"dueDate": "tomorrow"}, "dueDate", "tomorrow"),
        ({"dueDate": 1790000000}, "dueDate", "1790000000"),
        ({"estimatedTime": 90.5}, "estimatedTime", "90.5"),
        ({"categories": "Safety"}, "categories", "Safety"),
        ({"categories": ["Safety", 7]}, "categories.1", "7"),
        ({"assignees": [{"id": 1}]}, "assignees.0.type", None),
        ({"timeItems": [{"userId": 7, "durationTotal": "1 h"}]}, "timeItems.0.durationTotal", "1 h"),
        ({"extraFields": ["a"]}, "extraFields", "['a']"),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_refused_with_the_field_and_the_value(change, field, value):
    refused = validated(order(7, **change))
    assert isinstance(refused, Rejected)
    assert without_detail(refused) == (7, "type", field, value)
    assert refused.raw_hash == records.raw_hash(raw(order(7, **change)))
    assert json.loads(refused.raw_json) == order(7, **change)


def test_a_missing_field_is_named():
    record = order(7)
    del record["status"]
    refused = validated(record)
    assert isinstance(refused, Rejected)
    assert (*without_detail(refused), refused.detail) == (7, "type", "status", None, "Object missing required field `status`")


TEXTS = ["", "a\x00b", "\ufeffBOM", "\u202eright to left", "\U0001f9f0", "\u00e9", "e\u0301", "a\r\nb\t", "x" * 1_000_000]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:10]))
def test_text_is_kept_exactly(text):
    assert validated(order(title=text)).title == text


def test_assignees_may_carry_their_id_in_digits():
    found = validated(order(assignees=[{"type": "USER", "id": "12"}, {"type": "TEAM", "id": 3}]))
    assert [(one.assignee_type, one.assignee_id) for one in found.assignee_rows] == [("USER", 12), ("TEAM", 3)]

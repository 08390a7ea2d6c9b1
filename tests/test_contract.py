"""The contract of raw: every endpoint's columns and child tables, and the rules that look at more than one column."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.errors
import polars as pl
import pytest

from dagster_project.frames import flatten
from dagster_project.frames.contract import CHILD, INSTANT, VERSION, Contract, contract
from dagster_project.frames.flatten import Version
from dagster_project.frames.schemas import RECORDS
from dagster_project.maintainx.endpoints import BY_TABLE, ENDPOINTS, Absence, Walk
from tests.small_world import NORTHFIELD, NOW, asset, iso, order, raw, status

TYPES = {
    "BIGINT": pl.Int64(), "INTEGER": pl.Int32(), "VARCHAR": pl.String(), "DOUBLE": pl.Float64(), "BOOLEAN": pl.Boolean(),
    "TIMESTAMPTZ": INSTANT,
}  # fmt: skip

# The columns that models, analysts and backups rely on: name and type in order. A change here is a change of the log.
COLUMNS = {
    "organizations": "name, time_zone, currency VARCHAR",
    "locations": "name, description, address VARCHAR, parent_id BIGINT, created_at, updated_at TIMESTAMPTZ",
    "users": "first_name, last_name, role VARCHAR",
    "teams": "name VARCHAR",
    "categories": "label, description VARCHAR",
    "vendors": "name VARCHAR",
    "assets": "name, description VARCHAR, parent_id, criticality_id, location_id BIGINT, serial_number, manufacturer, model VARCHAR, "
    "created_at, updated_at TIMESTAMPTZ, creator_id BIGINT",
    "asset_criticalities": "label VARCHAR, level BIGINT",
    "asset_statuses": "asset_id BIGINT, status, downtime_type VARCHAR, custom_status_id BIGINT, started_at, ended_at, created_at, "
    "updated_at TIMESTAMPTZ, description VARCHAR, creator_id, updater_id BIGINT",
    "meters": "name, unit, measurement_type VARCHAR, asset_id, location_id BIGINT, last_reading_value DOUBLE, last_reading_at TIMESTAMPTZ",
    "maintenance_plans": "name, trigger_type, interval_strategy, recurrence_type VARCHAR, recurrence_interval BIGINT, "
    "start_at TIMESTAMPTZ, estimated_minutes BIGINT, next_due_at, last_planned_due_at, created_at, updated_at, archived_at TIMESTAMPTZ",
    "work_requests": "title, priority, status, description VARCHAR, asset_id, location_id, work_order_id, creator_id BIGINT, "
    "created_at, updated_at TIMESTAMPTZ",
    "rca_reports": "status VARCHAR, main_asset_id BIGINT, incident_started_at, incident_ended_at TIMESTAMPTZ, incident_seconds, "
    "repair_seconds BIGINT, created_at, updated_at, completed_at, archived_at TIMESTAMPTZ",
    "parts": "name VARCHAR, unit_cost_cents, in_stock_quantity, minimum_quantity BIGINT, created_at, updated_at TIMESTAMPTZ",
    "purchase_orders": "created_at, updated_at TIMESTAMPTZ, status VARCHAR",
    "work_orders": "sequential_id BIGINT, title, description, status, type, priority VARCHAR, created_at, updated_at, due_at TIMESTAMPTZ, "
    "is_due_full_day BOOLEAN, start_at, completed_at TIMESTAMPTZ, completer_id, creator_id, requester_id, asset_id, location_id, "
    "previous_id, next_id, parent_id BIGINT, recurrence_type VARCHAR, recurrence_interval, recurrence_days BIGINT, part_status, "
    "parts_availability VARCHAR, last_message_at TIMESTAMPTZ, estimated_seconds BIGINT",
}
CHILDREN = {
    "work_orders": {
        "work_order_assignees": "assignee_type VARCHAR, assignee_id BIGINT",
        "work_order_categories": "label VARCHAR",
        "work_order_time_items": "user_id, duration_seconds, amount_cents BIGINT, description VARCHAR",
        "work_order_costs": "cost_type VARCHAR, user_id BIGINT, quantity DOUBLE, amount_cents BIGINT, description VARCHAR",
        "work_order_parts": "part_id BIGINT, name VARCHAR, quantity DOUBLE, unit_cost_cents BIGINT",
        "work_order_custom_fields": "label, value VARCHAR",
    },
    "assets": {"asset_types": "label VARCHAR", "asset_custom_fields": "label, value VARCHAR"},
    "locations": {"location_custom_fields": "label, value VARCHAR"},
    "teams": {"team_members": "user_id BIGINT, team_role VARCHAR"},
    "maintenance_plans": {"maintenance_plan_assets": "asset_id BIGINT"},
    "rca_reports": {"rca_report_work_orders": "work_order_id BIGINT"},
}


def declared(text: str) -> dict[str, pl.DataType]:
    """Return "a, b VARCHAR, c BIGINT" as columns: a name without a type has that of the next one."""
    found: list[tuple[str, str]] = []
    for part in reversed(text.split(", ")):
        name, _, kind = part.partition(" ")
        found.append((name, kind or found[-1][1]))
    return {name: TYPES[kind] for name, kind in reversed(found)}


def version(table: str, record: dict[str, Any]) -> Version:
    """Return the first version of a record as an intake makes it."""
    typed = contract(table).decoder.decode(raw(record))
    values, children = flatten.values_of(contract(table), typed)
    return Version(NORTHFIELD, record["id"], 1, 11, 12, "s", "first", "run-1", NOW, False, typed, values, children, "{}", b"{}")


def broken(table: str, *records: dict[str, Any]) -> dict[int, str]:
    versions = [version(table, record) for record in records]
    return flatten.broken_rules(contract(table), flatten.versions_frame(contract(table), versions))


# what is declared


def test_every_endpoint_has_a_contract_and_every_contract_an_endpoint():
    assert sorted(RECORDS) == sorted(BY_TABLE) == sorted(COLUMNS)
    assert len(BY_TABLE) == len(ENDPOINTS)


@pytest.mark.parametrize("table", COLUMNS)
def test_the_typed_columns_of_a_table_are_those_that_models_rely_on(table):
    assert dict(contract(table).columns) == declared(COLUMNS[table])


@pytest.mark.parametrize("table", COLUMNS)
def test_the_child_tables_are_those_that_models_rely_on(table):
    assert {child.name: dict(child.columns) for child in contract(table).children} == {
        name: declared(text) for name, text in CHILDREN.get(table, {}).items()
    }


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_is_its_version_key_its_columns_and_the_payload_last(table):
    found = contract(table)
    names = [*VERSION, *found.columns, "payload"]
    assert list(found.schema) == names
    assert list(found.checks.columns) == names
    assert all(list(child.schema) == [*CHILD, *child.columns] for child in found.children)


def test_a_version_has_the_key_and_the_history_that_models_rely_on():
    text = (
        "organisation_id, id BIGINT, version_number INTEGER, content_hash, raw_hash BIGINT, shape_version, cause, run_id VARCHAR, "
        "observed_at TIMESTAMPTZ, is_deleted BOOLEAN"
    )
    assert declared(text) == VERSION
    assert declared("organisation_id, id BIGINT, version_number, position INTEGER") == CHILD


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.table)
def test_what_an_endpoint_leaves_out_of_the_hash_is_a_key_it_knows(endpoint):
    assert endpoint.volatile <= contract(endpoint.table).known_keys


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.table)
def test_what_an_endpoint_is_walked_and_buried_by_is_in_its_columns(endpoint):
    columns = contract(endpoint.table).columns
    needed = {"created_at", "updated_at"} if endpoint.walk is not Walk.WHOLE else set()
    assert needed | ({endpoint.relist_by[1]} if endpoint.relist_by else set()) <= set(columns)
    assert endpoint.relist_by is None or endpoint.absence is Absence.RELIST


def test_another_expand_volatile_field_or_sub_list_is_another_shape():
    endpoint = BY_TABLE["work_orders"]
    shapes = {
        endpoint.shape_version(endpoint.expands),
        endpoint.shape_version((*endpoint.expands, "asset")),
        replace(endpoint, volatile=frozenset()).shape_version(endpoint.expands),
        replace(endpoint, members="/x").shape_version(endpoint.expands),
    }
    assert len(shapes) == 4
    assert endpoint.shape_version(endpoint.expands[::-1]) in shapes


# records become rows


@pytest.mark.parametrize("table", COLUMNS)
def test_an_empty_batch_makes_frames_of_the_declared_types(table):
    found = contract(table)
    assert dict(flatten.versions_frame(found, []).schema) == found.schema
    assert [dict(flatten.child_frame(child, []).schema) for child in found.children] == [child.schema for child in found.children]


def test_a_full_order_becomes_one_row_and_the_rows_of_its_children():
    record = order(
        7, description="d", type="REACTIVE", priority="HIGH", dueDate="2026-11-20T05:00:00.000Z", dueDateIsFullDay=True,
        startDate="2026-11-19T05:00:00.000-06:00", completerId=3, creatorId=4, requesterId=5, locationId=6, previousId=8, nextId=9,
        parentId=10, recurrenceInfo={"type": "WEEKLY", "interval": 2, "days": ["MONDAY", "FRIDAY", "MONDAY"]}, partStatus="KITTED",
        partsAvailability="ALL", estimatedTime=5400,
        lastMessageSentAt="2026-11-01T00:00:00.000Z", assignees=[{"type": "TEAM", "id": "21"}, {"type": "USER", "id": 3}],
        categories=["Safety", "Cleaning"], timeItems=[{"userId": 3, "durationTotal": 1800.4, "rowTotal": 2100.5, "description": "x"}],
        expenditures=[{"type": "OTHER", "rowTotal": 999, "quantity": 1.5}],
        parts=[{"id": 5, "name": "Belt", "quantityUsed": 2, "unitCost": 450}],
        extraFields={"b": 1, "a": None},
    )  # fmt: skip
    found, versions = contract("work_orders"), [version("work_orders", record)]
    row = flatten.versions_frame(found, versions).row(0, named=True)
    at = datetime(2026, 9, 17, 6, 7, tzinfo=UTC)
    assert {name: row[name] for name in found.columns} == {
        "sequential_id": 7, "title": "Order 7", "description": "d", "status": "OPEN", "type": "REACTIVE", "priority": "HIGH",
        "created_at": at, "updated_at": at, "due_at": datetime(2026, 11, 20, 5, tzinfo=UTC), "is_due_full_day": True,
        "start_at": datetime(2026, 11, 19, 11, tzinfo=UTC), "completed_at": None, "completer_id": 3, "creator_id": 4, "requester_id": 5,
        "asset_id": 1, "location_id": 6, "previous_id": 8, "next_id": 9, "parent_id": 10,
        "recurrence_type": "WEEKLY", "recurrence_interval": 2, "recurrence_days": 2,
        "part_status": "KITTED", "parts_availability": "ALL", "last_message_at": datetime(2026, 11, 1, tzinfo=UTC),
        "estimated_seconds": 5400,
    }  # fmt: skip
    key = (NORTHFIELD, 7, 1)
    assert {child.name: flatten.child_frame(child, versions).rows() for child in found.children} == {
        "work_order_assignees": [(*key, 0, "TEAM", 21), (*key, 1, "USER", 3)],
        "work_order_categories": [(*key, 0, "Safety"), (*key, 1, "Cleaning")],
        "work_order_time_items": [(*key, 0, 3, 1800, 2100, "x")],
        "work_order_costs": [(*key, 0, "OTHER", None, 1.5, 999, None)],
        "work_order_parts": [(*key, 0, 5, "Belt", 2.0, 450)],
        "work_order_custom_fields": [(*key, 0, "a", None), (*key, 1, "b", "1")],
    }


@pytest.mark.parametrize(
    ("own", "embedded", "asset_id"), [(5, {"id": 6}, 5), (None, {"id": 6}, 6), (None, None, None)], ids=["own", "embedded", "none"]
)
def test_an_orders_asset_is_its_own_id_else_the_embedded_one(own, embedded, asset_id):
    found = version("work_orders", order(assetId=own, asset=embedded)).record
    assert getattr(found, "asset_id", None) == asset_id


def test_a_meters_last_reading_is_when_it_was_read_else_when_it_was_entered():
    entered, read = "2026-11-02T00:00:00.000Z", "2026-11-01T00:00:00.000Z"
    meters = [
        {"id": 1, "name": "a", "lastReading": {"value": 1.5, "readingDate": read, "createdAt": entered}},
        {"id": 2, "name": "b", "lastReading": {"value": 2, "createdAt": entered}},
        {"id": 3, "name": "c"},
    ]
    frame = flatten.versions_frame(contract("meters"), [version("meters", meter) for meter in meters])
    assert frame.select("last_reading_value", "last_reading_at").rows() == [
        (1.5, datetime(2026, 11, 1, tzinfo=UTC)), (2.0, datetime(2026, 11, 2, tzinfo=UTC)), (None, None)
    ]  # fmt: skip


def test_enum_values_nobody_has_seen_are_reported_once_each_and_kept():
    versions = [version("work_orders", order(1, status="ARCHIVED", type="X")), version("work_orders", order(2, status="ARCHIVED"))]
    assert flatten.unknown_values(contract("work_orders"), versions) == [("status", "ARCHIVED"), ("type", "X")]
    assert flatten.versions_frame(contract("work_orders"), versions)["status"].to_list() == ["ARCHIVED", "ARCHIVED"]


# rules across columns


def test_an_interval_that_ends_before_it_starts_breaks_its_rule_and_no_other_row():
    at = NOW - timedelta(days=1)
    good, ongoing = status(1, startedAt=iso(at), endedAt=iso(at)), status(2, startedAt=iso(at))
    wrong = status(3, startedAt=iso(at), endedAt=iso(at - timedelta(milliseconds=1)))
    assert broken("asset_statuses", good, ongoing, wrong) == {2: "ended_before_started"}


@pytest.mark.parametrize(
    ("table", "record"), [("work_orders", order), ("assets", asset), ("asset_statuses", status)], ids=["order", "asset", "status"]
)
def test_a_stamp_more_than_a_day_ahead_of_the_source_breaks_its_rule(table, record):
    a_day, more = NOW + timedelta(days=1), NOW + timedelta(days=1, milliseconds=1)
    assert broken(table, record(1), record(2, updatedAt=iso(more)), record(3, updatedAt=iso(a_day))) == {1: "future_updated_at"}


def test_all_rows_may_break_the_rules():
    assert broken("work_orders", *(order(number, updatedAt="2999-01-01T00:00:00.000Z") for number in (1, 2))) == {
        0: "future_updated_at", 1: "future_updated_at"
    }  # fmt: skip


def test_a_frame_of_another_shape_is_a_fault_of_ours_and_raised():
    found: Contract = contract("categories")
    frame = flatten.versions_frame(found, [version("categories", {"id": 1, "label": "Safety"})])
    with pytest.raises(pandera.errors.SchemaErrors):
        flatten.broken_rules(found, frame.drop("label"))
    with pytest.raises(pandera.errors.SchemaErrors):
        flatten.broken_rules(found, pl.concat([frame, frame]))
    with pytest.raises(pandera.errors.SchemaErrors):
        flatten.broken_rules(found, frame.with_columns(pl.lit(None, pl.String).alias("run_id")))

"""Recorded lists, served as they are."""

import gzip
import json
from pathlib import Path

import pytest

from simulator import recorded
from simulator.api import Simulator
from tests.simulator.asking import Client, ids, instant

ORDER = {
    "id": 8, "sequentialId": 1, "title": "Repair", "status": "DONE", "type": "REACTIVE", "createdAt": "2018-02-14T03:13:00.000Z",
    "updatedAt": "2018-02-22T10:27:07.634Z", "completedAt": "2018-02-22T10:27:07.634Z", "dueDate": "2030-01-01T00:00:00.000Z",
    "completerId": None, "deletedAt": None, "organizationId": 1001, "locationId": 6060, "timeItems": [],
    "extraFields": {"elevator": "EL309"}, "location": {"id": 6060, "name": "Court St", "address": None},
    "asset": {"id": 30140, "name": "EL309", "description": None, "parentId": None},
}  # fmt: skip


def record(folder: Path, name: str, *rows: dict) -> None:
    (folder / f"{name}.ndjson.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))


def client_of(folder: Path) -> Client:
    return Client(Simulator(recorded.load(folder)), "demo")


def test_the_rows_are_served_without_their_optional_nulls(tmp_path):
    record(tmp_path, "workOrders", ORDER)
    row = client_of(tmp_path).rows("workorders")[0]
    assert row == {
        key: value for key, value in ORDER.items() if value is not None and key not in {"timeItems", "extraFields", "asset", "location"}
    }


def test_the_asset_and_the_location_of_an_order_show_only_when_expanded(tmp_path):
    record(tmp_path, "workOrders", ORDER)
    row = client_of(tmp_path).rows("workorders", expand=["asset", "location", "time_items"])[0]
    assert row["asset"] == ORDER["asset"]
    assert row["location"] == {"id": 6060, "name": "Court St"}
    assert "assetId" not in row


def test_required_nulls_of_assets_are_kept_or_added(tmp_path):
    record(
        tmp_path,
        "assets",
        {"id": 1, "name": "A", "parentId": None, "createdAt": "2018-01-01T00:00:00Z", "updatedAt": "2018-01-01T00:00:00Z"},
    )
    row = client_of(tmp_path).rows("assets")[0]
    assert row["parentId"] is None
    assert row["serialNumber"] is None


def test_lists_without_a_file_are_empty(tmp_path):
    record(tmp_path, "users", {"id": 1, "firstName": "A", "lastName": "B", "lastVisitedAt": None})
    one = client_of(tmp_path)
    assert one.rows("users") == [{"id": 1, "firstName": "A", "lastName": "B"}]
    for path in ("workorders", "teams", "assetstatuses", "parts", "maintenanceplans"):
        assert one.rows(path) == []


def test_the_recording_is_one_organisation_in_utc_that_the_demo_token_reads(tmp_path):
    record(tmp_path, "workOrders", ORDER)
    one = client_of(tmp_path)
    assert one.rows("organizations") == [{"id": 1001, "name": "Recorded", "timeZone": "UTC"}]
    assert ids(one.rows("workorders")) == [8]


def test_the_clock_stands_a_minute_after_the_newest_thing_that_happened(tmp_path):
    record(tmp_path, "workOrders", ORDER)
    assert recorded.load(tmp_path).instant.isoformat() == "2018-02-22T10:28:07.634000+00:00"


def test_each_record_has_one_version_at_its_last_change(tmp_path):
    record(tmp_path, "workOrders", ORDER, {**ORDER, "id": 9, "updatedAt": "2018-02-20T00:00:00.000Z"})
    versions = list(recorded.load(tmp_path).versions("work_orders"))
    assert [version.id for version in versions] == [9, 8]
    assert all(version.record is not None and instant(version.record["updatedAt"]) == version.at for version in versions)


@pytest.mark.parametrize(
    ("name", "content"), [("nonsense", b'{"id":1}'), ("users", b"{"), ("users", b'{"firstName":"A"}'), ("users", b"[]")]
)
def test_a_recording_that_cannot_be_served_is_named(tmp_path, name, content):
    (tmp_path / f"{name}.ndjson.gz").write_bytes(gzip.compress(content))
    with pytest.raises(recorded.BadRecording, match=name):
        recorded.load(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(recorded.BadRecording, match="no "):
        recorded.load(tmp_path)


@pytest.mark.shared_data
def test_the_recorded_elevators_are_served_whole(shared_data):
    folder = shared_data / "mta_elevators"
    one = client_of(folder)
    truth = json.loads((folder / "truth.json").read_text())
    orders = one.walk("workorders", limit=200, sort="updatedAt", show_upcoming="true", expand="asset")
    assert len(orders) == truth["rows"]
    assets = set(ids(one.walk("assets", limit=200)))
    assert len(assets) == truth["assets_in_file"]
    assert sum(row.get("asset", {}).get("id") not in assets for row in orders) == truth["orphan_orders"]
    assert sum(row["status"] in {"OPEN", "IN_PROGRESS", "ON_HOLD"} for row in orders) == truth["open_at_end"]

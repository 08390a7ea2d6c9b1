"""The verbs of the warehouse, kept by BigQuery's stand-in: batches whole or not at all, one writer, nothing twice."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from google.api_core.exceptions import Conflict

from dagster_project.frames.contract import contract
from dagster_project.settings import BadSettings, Settings
from dagster_project.warehouse.base import BigQueryTrouble, Commit, LeaseLost, NotOnBigQuery, State, Tombstone, WarehouseBusy
from dagster_project.warehouse.bigquery import BigQueryWarehouse
from dagster_project.warehouse.bigquery_batch import literal, script
from dagster_project.warehouse.bigquery_jobs import Jobs, Place
from dagster_project.warehouse.open import open_warehouse
from dagster_project.warehouse.tables import LATEST, OPS
from tests.bigquery.emulator import Emulator

pytestmark = pytest.mark.dbt
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
STATE = State(101, "teams", watermark=NOW, is_complete=True, expands="members,it's", run_id="run-1")


@pytest.fixture(scope="module")
def place(emulator: Emulator) -> Place:
    return Place(f"p{uuid4().hex[:8]}", "EU", "acme_", emulator.url)


@pytest.fixture(scope="module")
def warehouse(place: Place) -> Generator[BigQueryWarehouse]:
    with BigQueryWarehouse(place) as found:
        yield found


def teams(*names: str, version: int = 1) -> Commit:
    """A batch with one version of a team for each name; ids count from 1."""
    key = [{"organisation_id": 101, "id": number, "version_number": version} for number, _ in enumerate(names, 1)]
    about = {"content_hash": 7, "raw_hash": 7, "shape_version": "s", "is_deleted": False}
    told = {"cause": "first", "run_id": "run-1", "observed_at": NOW}
    rows = [one | about | told | {"name": name, "payload": "{}"} for one, name in zip(key, names, strict=True)]
    versions = pl.DataFrame(rows, schema=contract("teams").schema)
    members = pl.DataFrame([one | {"position": 0, "user_id": 5} for one in key], schema=contract("teams").children[0].schema)
    latest = pl.DataFrame([one | about for one in key], schema=LATEST)
    return Commit("teams", 101, versions=versions, children={"team_members": members}, latest=latest)


def test_a_batch_is_stored_with_its_children_latest_rows_and_state(warehouse: BigQueryWarehouse) -> None:
    batch = teams("Night shift", 'Hall "B"', "Línea'2\n")
    batch.states = [STATE]
    warehouse.commit(batch)
    names = warehouse.query("select name from raw.teams where organisation_id = ? order by id", [101])["name"].to_list()
    assert names == ["Night shift", 'Hall "B"', "Línea'2\n"]
    assert warehouse.query("select count(*) as n from raw.team_members")["n"].item() == 3
    assert warehouse.latest("teams", 101, [1, 9])[1].version_number == 1
    assert warehouse.live("teams", 101)["id"].to_list() == [1, 2, 3]
    assert warehouse.states(101, "teams") == {"": STATE}
    assert warehouse.column_of("teams", 101, "name", [2]) == ['Hall "B"']


def test_a_tombstone_is_the_next_version_once_however_often_it_comes(warehouse: BigQueryWarehouse) -> None:
    stone = Tombstone(101, 2, "run-2", NOW)
    for _ in range(2):
        warehouse.commit(Commit("teams", tombstones=[stone, stone]))
    rows = warehouse.query("select version_number, cause, run_id, is_deleted from raw.teams where id = 2 order by version_number").rows()
    assert rows == [(1, "first", "run-1", False), (2, "delete", "run-2", True)]
    assert warehouse.live("teams", 101)["id"].to_list() == [1, 3]


def test_a_script_that_fails_leaves_nothing(warehouse: BigQueryWarehouse) -> None:
    before = warehouse.query("select count(*) as n from raw.teams")["n"].item()
    writing = script(warehouse.jobs, 999)
    half = teams("Half").versions
    assert half is not None
    writing.insert("raw.teams", half, contract("teams").schema)
    writing.add("update raw.teams set name = error('on the way') where true")
    with pytest.raises(BigQueryTrouble, match="on the way"), warehouse.lease.guarding() as opening:
        warehouse.jobs.run(writing.text(opening))
    assert warehouse.query("select count(*) as n from raw.teams")["n"].item() == before


def test_a_request_whose_answer_was_lost_finds_the_job_that_is_there(place: Place) -> None:
    asked: list[str] = []

    def start(job_id: str) -> Any:
        asked.append(job_id)
        if len(asked) == 2:  # the stand-in runs a job again under its old id; BigQuery answers so
            raise Conflict("Already Exists: Job")
        return Jobs(place, "another").client.query("select 7 as seven", job_id=job_id, job_retry=None)

    for _ in range(2):  # the same process at the same point of its work
        job = Jobs(place, "the same token")._done(start, "select 7 as seven")
        assert [tuple(row) for row in job.result()] == [(7,)]
    assert asked[0] == asked[1]


def test_a_refused_record_is_counted_and_not_doubled(warehouse: BigQueryWarehouse) -> None:
    seen = {"organisation_id": 101, "endpoint": "teams", "record_id": None, "raw_hash": 5, "reason_code": "unreadable", "times_seen": 1}
    row = seen | {"raw_json": '{"name": "\\u0000"}', "status": "open", "first_seen_at": NOW, "last_seen_at": NOW}
    for _ in range(2):
        warehouse.commit(Commit("teams", 101, quarantine=pl.DataFrame([row], schema=OPS["quarantine"])))
    assert warehouse.query("select raw_json, times_seen from ops.quarantine").rows() == [(row["raw_json"], 2)]


def test_a_state_that_somebody_changed_is_dropped_and_audited(warehouse: BigQueryWarehouse) -> None:
    warehouse.replace("state", [{"organisation_id": 7, "endpoint": "parts", "slice": "", "watermark": NOW}], {"organisation_id": 7})
    warehouse.jobs.run("update ops.state set watermark = timestamp '2030-01-01 00:00:00+00' where organisation_id = 7")
    assert warehouse.states(7, "parts") == {}
    assert warehouse.query("select action from ops.audit where organisation_id = 7")["action"].to_list() == ["state_refused"]


def test_a_second_writer_is_told_who_the_first_one_is(place: Place, warehouse: BigQueryWarehouse) -> None:
    with (
        pytest.raises(WarehouseBusy, match=f"project {place.project}, datasets acme_raw.* is being written by process"),
        BigQueryWarehouse(place),
    ):
        pass
    warehouse.check_lease()


def test_who_was_taken_over_stores_nothing_more(emulator: Emulator) -> None:
    mine = Place(f"p{uuid4().hex[:8]}", "EU", "", emulator.url)
    with BigQueryWarehouse(mine) as first:
        first.lease._ended.set()  # it stands still, for longer than its lease lasts
        first.jobs.run("update ops.lease set expires_at = current_timestamp() where true")
        with BigQueryWarehouse(mine) as second:
            assert second.lease.fence == first.lease.fence + 1
            with pytest.raises(LeaseLost, match="run again"):
                first.insert("source", [{"source": "stale"}])
            with pytest.raises(LeaseLost):
                first.check_lease()
            second.insert("source", [{"source": "fresh"}])
            assert second.query("select source from ops.source")["source"].to_list() == ["fresh"]


def test_what_needs_a_duckdb_file_is_refused(warehouse: BigQueryWarehouse) -> None:
    with pytest.raises(NotOnBigQuery, match=r"docs/bigquery\.md"):
        _ = warehouse.connection


def test_bigquery_without_a_project_is_refused_with_the_variable_to_set() -> None:
    with pytest.raises(BadSettings, match="BIGQUERY_PROJECT"):
        open_warehouse(Settings(warehouse="bigquery"))


def test_without_credentials_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f"{tmp_path}/none.json")
    with pytest.raises(BigQueryTrouble, match="gcloud auth application-default login"):
        Jobs(Place("nobody", "EU"), "token")


def test_a_text_that_could_end_a_literal_never_stands_in_a_script() -> None:
    for text in ("it's", 'a "b"', "back\\slash", "new\nline", "é"):
        with pytest.raises(ValueError, match="cannot stand in SQL"):
            literal(text)

"""Publishing: whole versions only, what was reported, and what stays when it fails half-way."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dagster_project import publish as publishing
from dagster_project.publish import KEPT_VERSIONS, DamagedPublication, NothingToPublish, current, publish, verify
from dagster_project.settings import Settings
from dagster_project.warehouse import copying, ops_words
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.folders import sha256
from dagster_project.warehouse.open import open_warehouse
from dagster_project.warehouse.tables import LEASE, OPS

MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
CLIENT = Path(sys.executable).parent / "duckdb"  # the command-line client of DuckDB 1.5, as an analyst has it


def say(
    warehouse: DuckDBWarehouse, value: float | None, *, period: str = "2026-11-09", reason: str | None = None, state: str = "closed"
) -> None:
    """Let marts.kpis say one thing about the mean time to repair of a week."""
    warehouse.connection.execute("delete from marts.kpis where period_start_on = ?", [period])
    warehouse.connection.execute(
        "insert into marts.kpis values ('mttr', 101, 'austin', 'site', 'austin', 'week', ?, ?, ?, 2, 2, ?, ?, '1')",
        [period, value, value and value * 2, reason, state],
    )


def what_was_reported(warehouse: DuckDBWarehouse) -> list[tuple]:
    """Return period, value and version, in the order of publishing."""
    query = "select period_start_on::varchar, value, version from ops.kpi_reported order by version, period_start_on"
    return warehouse.connection.execute(query).fetchall()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def warehouse(settings: Settings):
    with open_warehouse(settings) as opened:
        opened.connection.execute("""
            create schema marts;
            create table marts.kpis (kpi varchar, organisation_id bigint, site_id varchar, scope_type varchar, scope_id varchar,
                period_grain varchar, period_start_on date, value double, numerator double, denominator double, n bigint,
                reason varchar, window_state varchar, definition_version varchar);
            create view marts.work_orders as select i as work_order_id from range(1000) r(i);
            insert into ops.quarantine (record_id, reason_code, raw_json) values (1, 'bad_type', '{"email": "someone@example.com"}');
        """)
        say(opened, 4.5)
        yield opened


def test_a_published_file_holds_every_mart_and_what_ops_has_for_readers(settings, warehouse):
    published = publish(settings, warehouse, MONDAY)
    readers = {f"ops.{table}" for table in OPS} - {"ops.state", "ops.audit"}  # nor ops.lease
    assert set(published.tables) == {"marts.kpis", "marts.work_orders"} | readers
    assert {name: rows for name, rows in published.tables.items() if rows} == {
        "marts.kpis": 1,
        "marts.work_orders": 1000,
        "ops.kpi_reported": 1,
        "ops.quarantine": 1,
    }
    assert published.rows == 1003
    assert published.path == settings.published_dir / "000001_20261116T060000Z" / "analytics.duckdb" == current(settings.published_dir)
    with duckdb.connect(str(published.path), read_only=True) as reader:
        assert reader.execute("select record_id, reason_code from ops.quarantine").fetchall() == [(1, "bad_type")]
        assert "raw_json" not in reader.sql("from ops.quarantine").columns
        assert reader.execute("select value, version, known_at, reported_at from ops.kpi_reported").fetchall() == [
            (4.5, "000001_20261116T060000Z", MONDAY, MONDAY)
        ]


def test_what_is_finer_than_a_site_is_reported_once_it_is_closed(settings, warehouse):
    say(warehouse, 3.5, period="2026-11-16", state="open")
    warehouse.connection.execute("""
        insert into marts.kpis by name
            select * replace ('team' as scope_type, '701' as scope_id, cast(null as varchar) as site_id) from marts.kpis
    """)
    publish(settings, warehouse, MONDAY)
    reported = warehouse.connection.execute("select scope_type, window_state from ops.kpi_reported order by all").fetchall()
    assert reported == [("site", "closed"), ("site", "open"), ("team", "closed")]


def test_the_command_line_client_of_duckdb_1_5_opens_a_published_file(settings, warehouse):
    path = publish(settings, warehouse, MONDAY).path
    query = "select value, (select count(*) from marts.work_orders) as orders from marts.kpis"
    answer = subprocess.run([CLIENT, "-readonly", "-json", path, query], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [{"value": 4.5, "orders": 1000}]


def test_descriptions_travel_with_the_tables(settings, warehouse):
    columns = {"value": {"description": "NULL when there is a reason"}, "gone": {"description": "A column that is no more"}}
    about = {"name": "kpis", "schema": "marts", "resource_type": "model", "columns": columns}
    settings.dbt_target_dir.mkdir(exist_ok=True)
    nodes = {"model.maintainx_analytics.kpis": about | {"description": "One row per KPI,\nthe organisation's and its sites'"}}
    (settings.dbt_target_dir / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    path = publish(settings, warehouse, MONDAY).path
    with duckdb.connect(str(path), read_only=True) as reader:
        of_marts = "where schema_name = 'marts' and comment is not null"
        assert reader.execute(f"select table_name, comment from duckdb_tables() {of_marts}").fetchall() == [
            ("kpis", "One row per KPI, the organisation's and its sites'")
        ]
        assert reader.execute(f"select column_name, comment from duckdb_columns() {of_marts}").fetchall() == [
            ("value", "NULL when there is a reason")
        ]


def test_every_table_of_ops_and_every_column_of_it_says_what_it_means(settings, warehouse):
    assert set(ops_words.TABLES) == {*OPS, "lease"}
    path = publish(settings, warehouse, MONDAY).path
    with duckdb.connect(str(path), read_only=True) as reader:
        silent = "select table_name from duckdb_tables() where schema_name = 'ops' and comment is null"
        assert reader.execute(silent).fetchall() == []
        silent = "select table_name, column_name from duckdb_columns() where schema_name = 'ops' and comment is null"
        assert reader.execute(silent).fetchall() == []


def test_no_word_is_kept_for_a_column_that_ops_has_not():
    known = {column for columns in (*OPS.values(), LEASE) for column in columns} | {"stale_since"}
    assert ops_words.COLUMNS.keys() - known == set()
    assert [name for name in ops_words.OWN if name.split(".")[1] not in OPS[name.split(".")[0]]] == []


def test_the_manifest_says_what_the_file_is(settings, warehouse):
    published = publish(settings, warehouse, MONDAY, as_of=MONDAY + timedelta(hours=1))
    manifest = json.loads((published.path.parent / "manifest.json").read_text())
    assert manifest["sha256"] == sha256(published.path)
    assert (manifest["known_at"], manifest["as_of"]) == ("2026-11-16T06:00:00+00:00", "2026-11-16T07:00:00+00:00")
    assert (published.known_at, published.as_of) == (MONDAY, MONDAY + timedelta(hours=1))
    assert {path.name for path in published.path.parent.iterdir()} == {"analytics.duckdb", "marts.duckdb", "manifest.json"}
    assert (published.path.parent / "marts.duckdb").samefile(published.path)


def test_before_the_first_publication_there_is_nothing_current(settings):
    assert current(settings.published_dir) is None


def test_a_warehouse_without_marts_is_not_published(settings):
    with open_warehouse(settings) as opened, pytest.raises(NothingToPublish, match=r"no marts\.kpis.*make refresh"):
        publish(settings, opened, MONDAY)


def test_publishing_the_same_content_again_gives_the_version_that_is_there(settings, warehouse):
    first = publish(settings, warehouse, MONDAY)
    again = publish(settings, warehouse, MONDAY)
    assert (first.is_new, again.is_new, again.version) == (True, False, first.version)
    assert what_was_reported(warehouse) == [("2026-11-09", 4.5, first.version)]


def test_versions_sort_in_the_order_of_publishing_even_when_the_source_clock_went_back(settings, warehouse):
    versions = []
    for hours in (0, 0, 5, -48):
        say(warehouse, float(hours + len(versions)))
        versions.append(publish(settings, warehouse, MONDAY + timedelta(hours=hours)).version)
    assert versions == sorted(versions)
    assert len(set(versions)) == 4


def test_the_last_versions_are_kept_and_older_ones_removed(settings, warehouse):
    versions = []
    for value in range(KEPT_VERSIONS + 3):
        say(warehouse, float(value))
        versions.append(publish(settings, warehouse, MONDAY).version)
    assert sorted(path.name for path in settings.published_dir.iterdir()) == [*versions[-KEPT_VERSIONS:], "CURRENT"]


def test_only_figures_that_changed_are_reported_again(settings, warehouse):
    say(warehouse, 7.0, period="2026-11-02")
    first = publish(settings, warehouse, MONDAY)
    say(warehouse, 5.0)
    second = publish(settings, warehouse, MONDAY + timedelta(days=1))
    assert (first.reported, second.reported) == (2, 1)
    assert what_was_reported(warehouse) == [
        ("2026-11-02", 7.0, first.version),
        ("2026-11-09", 4.5, first.version),
        ("2026-11-09", 5.0, second.version),
    ]


@pytest.mark.parametrize(
    "change",
    [{"value": None, "reason": "no_repair_evidence"}, {"value": 4.5, "state": "open"}],
    ids=["a reason in place of a value", "state"],
)
def test_a_figure_counts_as_changed_by(settings, warehouse, change):
    publish(settings, warehouse, MONDAY)
    say(warehouse, **change)
    assert publish(settings, warehouse, MONDAY).reported == 1


def test_a_figure_that_goes_back_to_what_it_was_is_reported_a_third_time(settings, warehouse):
    for value in (4.5, 5.0, 4.5):
        say(warehouse, value)
        publish(settings, warehouse, MONDAY)
    assert [value for _, value, _ in what_was_reported(warehouse)] == [4.5, 5.0, 4.5]


def test_a_failure_while_copying_leaves_the_old_version_current_and_reports_nothing(settings, warehouse):
    before = publish(settings, warehouse, MONDAY)
    say(warehouse, 9.0)
    warehouse.connection.execute("create view marts.broken as select error('the disk is full') as x")
    with pytest.raises(duckdb.Error):
        publish(settings, warehouse, MONDAY)
    assert current(settings.published_dir) == before.path
    assert what_was_reported(warehouse) == [("2026-11-09", 4.5, before.version)]
    warehouse.connection.execute("drop view marts.broken")
    assert publish(settings, warehouse, MONDAY).reported == 1


@pytest.mark.parametrize("place", ["write_database", "sha256", "replace_text", "append_news", "_remove_old_versions"])
def test_killed_at_any_place_the_next_publication_says_the_truth(settings, warehouse, monkeypatch, place):
    first = publish(settings, warehouse, MONDAY)
    say(warehouse, 9.0)
    owner = next(owner for owner in (publishing, copying, publishing.reported) if hasattr(owner, place))
    with monkeypatch.context() as patch:
        patch.setattr(owner, place, kill)
        with pytest.raises(Killed):
            publish(settings, warehouse, MONDAY)
    warehouse.connection.execute("drop table if exists kpi_news")
    last = publish(settings, warehouse, MONDAY)
    with duckdb.connect(str(current(settings.published_dir)), read_only=True) as reader:
        shown = reader.execute("select value, version from ops.kpi_reported order by version").fetchall()
    assert [(value, version) for _, value, version in what_was_reported(warehouse)] == shown == [(4.5, first.version), (9.0, last.version)]


def test_what_a_killed_publication_left_aside_is_removed_by_the_next(settings, warehouse):
    left = settings.published_dir / ".tmp-000001_20261116T060000Z"
    left.mkdir(parents=True)
    (left / "marts.duckdb").write_bytes(b"half a file")
    version = publish(settings, warehouse, MONDAY).version
    assert {path.name for path in settings.published_dir.iterdir()} == {version, "CURRENT"}


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def kill(*_: object) -> None:
    raise Killed


READER = """
import sys, time, duckdb
from pathlib import Path
from dagster_project.publish import current
read, seen = 0, set()
print("reading", flush=True)
while not Path(sys.argv[2]).exists():
    with duckdb.connect(str(current(Path(sys.argv[1]))), read_only=True) as reader:
        values = reader.execute("select distinct value from marts.kpis union select distinct value from marts.wide").fetchall()
        assert len(values) == 1, values
        seen.add(values[0][0])
        assert reader.execute("select count(*) from marts.wide").fetchone() == (20000,)
    read += 1
print(read, len(seen))
"""


def test_a_reader_meets_no_error_and_whole_versions_only_while_twenty_are_published(settings, warehouse, tmp_path):
    stop = tmp_path / "stop"
    publish_wide(settings, warehouse, 0)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, settings.published_dir, stop], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        for number in range(1, 21):
            publish_wide(settings, warehouse, number)
    finally:
        stop.touch()
        output, errors = reader.communicate(timeout=60)
    assert errors == ""
    read, versions = map(int, output.split())
    assert read >= versions >= 2


def publish_wide(settings: Settings, warehouse: DuckDBWarehouse, number: int) -> None:
    say(warehouse, float(number))
    warehouse.connection.execute(f"create or replace table marts.wide as select {number}::double as value, i from range(20000) r(i)")
    assert publish(settings, warehouse, MONDAY + timedelta(hours=number)).is_new


def test_the_manifest_says_how_fresh_the_version_is_and_what_it_lacks(settings, warehouse):
    states = [("assets", "", 3), ("work_orders", "", 2), ("work_orders", "2026", 1), ("work_orders/sweep", "", 0)]
    warehouse.insert(
        "state",
        [
            {"organisation_id": 101, "endpoint": name, "slice": part, "watermark": MONDAY - timedelta(days=9 - days)}
            for name, part, days in states
        ],
    )
    sweeps = [("work_orders", "full", 5, "healed"), ("work_orders", "rolling", 1, "matched"), ("assets", "full", 2, "matched"),
              ("assets", "full", 0, "failed")]  # fmt: skip
    warehouse.insert(
        "reconciliation",
        [{"organisation_id": 101, "endpoint": name, "scope": scope, "reconciled_at": MONDAY - timedelta(days=days), "status": status}
         for name, scope, days, status in sweeps],
    )  # fmt: skip
    warehouse.insert("quarantine", [{"record_id": 2, "status": "open"}, {"record_id": 3, "status": "replayed"}])
    manifest = json.loads((publish(settings, warehouse, MONDAY).path.parent / "manifest.json").read_text())
    assert {name: manifest[name] for name in ("generation", "watermark", "quarantined", "last_sweep")} == {
        "generation": 1, "watermark": "2026-11-09T06:00:00+00:00", "quarantined": 1, "last_sweep": "2026-11-11T06:00:00+00:00",
    }  # fmt: skip


def test_a_published_file_that_was_changed_is_named_and_published_anew(settings, warehouse):
    assert verify(settings.published_dir) is None
    first = publish(settings, warehouse, MONDAY)
    assert verify(settings.published_dir) == first.version
    with first.path.open("r+b") as file:
        file.seek(first.path.stat().st_size // 2)
        file.write(b"?")
    with pytest.raises(DamagedPublication, match=r"analytics\.duckdb is not what was published.*make refresh"):
        verify(settings.published_dir)
    again = publish(settings, warehouse, MONDAY)
    assert again.is_new
    assert verify(settings.published_dir) == again.version


def test_a_record_in_quarantine_says_since_when_readers_see_its_last_good_version(settings, warehouse):
    warehouse.execute("insert into raw.work_orders_latest (organisation_id, id, is_deleted) values (101, 7, false), (101, 9, true)")
    seen = {"organisation_id": 101, "endpoint": "work_orders", "first_seen_at": MONDAY}
    warehouse.insert("quarantine", [{**seen, "record_id": id_, "status": status} for id_, status in
                                    ((7, "open"), (8, "open"), (9, "open"), (7, "replayed"))])  # fmt: skip
    path = publish(settings, warehouse, MONDAY).path
    with duckdb.connect(str(path), read_only=True) as reader:
        query = "select record_id, status, stale_since from ops.quarantine where organisation_id = 101 order by all"
        assert reader.execute(query).fetchall() == [(7, "open", MONDAY), (7, "replayed", None), (8, "open", None), (9, "open", None)]

"""A DuckDB shop's published tables arrive in BigQuery as they are, and replace what stood there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project import exports, publish
from dagster_project.settings import Settings
from dagster_project.warehouse.bigquery_jobs import Jobs
from dagster_project.warehouse.open import bigquery_place, open_warehouse
from tests.bigquery.emulator import Emulator

pytestmark = pytest.mark.dbt
MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
KPIS = """
    create schema if not exists marts;
    create or replace table marts.kpis (kpi varchar, organisation_id bigint, site_id varchar, scope_type varchar, scope_id varchar,
        period_grain varchar, period_start_on date, value double, numerator double, denominator double, n bigint,
        reason varchar, window_state varchar, definition_version varchar);
    create or replace table marts.stops as select * from (values
        (1, timestamptz '2026-11-01 10:00:00.25+00', 2::integer, true), (2, null, null, null)) v(stop_id, ended_at, assets, is_planned);
"""


@pytest.fixture
def settings(tmp_path: Path, emulator: Emulator) -> Settings:
    found = Settings(data_dir=tmp_path, bigquery_project="plant", bigquery_dataset_prefix="shop_", bigquery_endpoint=emulator.url)
    published(found, KPIS)
    return found


def published(settings: Settings, sql: str) -> None:
    with open_warehouse(settings) as opened:
        opened.connection.execute(sql)
        publish.publish(settings, opened, MONDAY)


def test_tables_arrive_with_their_types_and_the_next_export_replaces_them(settings: Settings) -> None:
    done = exports.export_to_bigquery(settings, ["stops", "ops.runs"], say=str)
    assert [(one.table, one.rows) for one in done] == [("marts.stops", 2), ("ops.runs", 0)]
    jobs = Jobs(bigquery_place(settings), "reader")
    rows = jobs.query("select * from marts.stops order by stop_id")
    assert rows.rows() == [(1, datetime(2026, 11, 1, 10, 0, 0, 250_000, tzinfo=UTC), 2, True), (2, None, None, None)]
    assert jobs.query("select count(*) as runs from ops.runs")["runs"].item() == 0
    published(settings, "delete from marts.stops where stop_id = 1")
    exports.export_to_bigquery(settings, ["stops"], say=str)
    assert jobs.query("select stop_id from marts.stops").rows() == [(2,)]
    jobs.client.close()

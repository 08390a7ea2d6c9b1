"""How dbt is run: what a build reports, what it raises, and that it lets go of the file."""

from pathlib import Path

import duckdb
import pytest

from dagster_project import models
from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    raw.site(crew_hours_per_week=40.0)
    raw.run("run-1", "2026-04-15 12:00")
    raw.add("users", 7, first_name="Ada", last_name="Byron", role="ADMIN")
    raw.add("users", 9, first_name="Grace", last_name="Hopper", role="MEMBER")
    raw.add("users", 9, is_deleted=True, cause="delete", first_name="Grace", last_name="Hopper", role="MEMBER")
    raw.add("teams", 3, name="Night shift", team_members=[{"user_id": 7, "team_role": "LEAD"}])
    raw.order(
        1,
        "2026-03-02 10:00",
        "2026-03-03 10:30",
        estimated_seconds=3600,
        work_order_assignees=[{"assignee_type": "USER", "assignee_id": 7}, {"assignee_type": "TEAM", "assignee_id": 3}],
        work_order_time_items=[{"user_id": 7, "duration_seconds": 1800, "amount_cents": 1250}, {"user_id": 8, "duration_seconds": 1800}],
        work_order_parts=[{"part_id": 1, "quantity": 1.5, "unit_cost_cents": 333}],
        work_order_costs=[{"cost_type": "OTHER", "amount_cents": 100}],
        work_order_categories=[{"label": "Safety"}, {"label": "Electrical"}],
        work_order_custom_fields=[{"label": "Shift", "value": "B"}],
    )
    raw.order(2, "2026-03-02 10:00", due_at="2026-04-14 12:00", priority="HIGH")
    return build(raw, AS_OF)


def test_a_build_reports_every_model_and_test_with_its_seconds(marts: Marts) -> None:
    kinds = {kind: sum(node.resource_type == kind for node in marts.report.nodes) for kind in ("model", "test", "unit_test")}
    assert kinds["model"] > 60
    assert kinds["test"] > 60
    assert kinds["unit_test"] == 0
    assert {node.status for node in marts.report.nodes} == {"success", "pass"}


def test_a_build_lets_go_of_the_file_so_that_it_can_be_opened_for_writing(marts: Marts) -> None:
    with duckdb.connect(str(marts.settings.warehouse_path), config={"threads": 1}) as connection:
        connection.execute("create or replace temp table proof as select 1")


def test_each_finished_node_is_told_as_it_happens(marts: Marts) -> None:
    told: list[models.NodeReport] = []
    report = models.build(marts.settings, AS_OF, AS_OF, select="dim_teams", on_node=told.append)
    assert {(node.name, node.status) for node in told} == {(node.name, node.status) for node in report.nodes}
    assert ("dim_teams", "success") in {(node.name, node.status) for node in told}


def test_a_failure_names_each_failed_node_and_what_it_said(marts: Marts) -> None:
    path = str(marts.settings.warehouse_path)
    with duckdb.connect(path) as connection:
        connection.execute("insert into ops.sites select * from ops.sites; alter table raw.teams rename to teams_away")
    with pytest.raises(models.ModelsFailed, match="teams") as failed:
        models.build(marts.settings, AS_OF, AS_OF, select="stg_teams dim_sites")
    with duckdb.connect(path) as connection:
        connection.execute("create or replace table ops.sites as select distinct * from ops.sites")
        connection.execute("alter table raw.teams_away rename to teams")
    names = {failure.name for failure in failed.value.failures}
    assert names == {"stg_teams", "one_row_per_dim_sites_site_id"}
    models.build(marts.settings, AS_OF, AS_OF, select="stg_teams dim_sites")


def test_the_manifest_is_prepared_when_it_is_missing_and_kept_while_no_file_changes(marts: Marts) -> None:
    path = marts.settings.dbt_target_dir / "manifest.json"
    path.unlink()
    assert "model.maintainx_analytics.kpis" in models.manifest(marts.settings)["nodes"]
    written = path.stat().st_mtime_ns
    models.manifest(marts.settings)
    assert path.stat().st_mtime_ns == written


def test_nothing_is_written_beside_the_project(marts: Marts) -> None:
    project = Path(models.PROJECT_DIR)
    assert not [path for path in project.iterdir() if path.name in {"target", "logs", "dbt_packages", ".user.yml"}]


def test_the_wide_table_names_people_and_adds_up_costs(marts: Marts) -> None:
    columns = "assignee_names, category_names, labour_hours, cost_amount, lead_hours, is_overdue, days_overdue, priority_rank"
    assert marts.rows(f"select {columns} from marts.work_orders order by work_order_id") == [
        ("Ada Byron, Night shift", "Electrical, Safety", 1.0, 18.5, 24.5, False, None, 4),
        (None, None, 0.0, 0.0, None, True, 1.0, 1),
    ]


def test_people_who_left_keep_their_name_and_those_never_listed_are_unknown(marts: Marts) -> None:
    rows = marts.rows("select user_id, user_name, role, is_active from marts.dim_users order by user_id")
    assert rows == [(7, "Ada Byron", "ADMIN", True), (8, "(unknown user 8)", None, False), (9, "Grace Hopper", "MEMBER", False)]


def test_labour_per_repair_is_logged_time_over_the_repairs_that_have_any(marts: Marts) -> None:
    assert marts.kpi("mttr_labour", 1, "2026-03-01") == {
        "value": 1.0,
        "numerator": 1.0,
        "denominator": 1.0,
        "n": 1,
        "coverage_share": 1.0,
        "basis": "time_items",
        "window_state": "closed",
    }


def test_the_definitions_stand_beside_the_values(marts: Marts) -> None:
    names = {name for (name,) in marts.rows("select distinct kpi from marts.kpis")}
    assert names == {name for (name,) in marts.rows("select kpi from marts.kpi_definitions")}
    row = marts.rows(
        "select label, unit, better, target, definition_version, is_history from marts.kpi_definitions where kpi = 'pm_compliance'"
    )
    assert row == [("PM compliance", "share", "higher", 0.9, "1", True)]


def test_every_column_of_a_mart_has_the_type_analysts_were_promised(marts: Marts) -> None:
    rows = marts.rows("select table_name || '.' || column_name, data_type from information_schema.columns where table_schema = 'marts'")
    types = dict(rows)
    assert not [name for name, kind in types.items() if kind in {"HUGEINT", "FLOAT", "JSON", "TIMESTAMP"} or kind.startswith("DECIMAL")]
    assert {kind for name, kind in types.items() if name.endswith("_at")} == {"TIMESTAMP WITH TIME ZONE"}
    assert {kind for name, kind in types.items() if name.endswith("_on")} == {"DATE"}
    assert {
        kind
        for name, kind in types.items()
        if name.endswith(("_seconds", "_cents", "_id")) and "site_id" not in name and "scope_id" not in name and "run_id" not in name
    } == {"BIGINT"}


def test_building_twice_gives_the_same_rows(marts: Marts) -> None:
    everything = "select * exclude (description) from marts.kpis k left join marts.kpi_definitions d using (kpi) order by all"
    before = marts.rows(everything)
    models.build(marts.settings, AS_OF, AS_OF)
    assert marts.rows(everything) == before


def test_the_arithmetic_of_every_kpi_holds_in_its_unit_tests(marts: Marts) -> None:
    report = models.run_unit_tests(marts.settings)
    assert len(report.nodes) >= 20
    assert {node.status for node in report.nodes} == {"pass"}


def test_every_column_of_a_mart_is_described_and_every_described_column_is_there(marts: Marts) -> None:
    rows = marts.rows("select table_name, column_name from information_schema.columns where table_schema = 'marts'")
    nodes = models.manifest(marts.settings)["nodes"].values()
    described = {(node["name"], name): column for node in nodes if node["schema"] == "marts" for name, column in node["columns"].items()}
    assert set(rows) == set(described)
    assert not [key for key, column in described.items() if not column["description"]]


def test_every_kpi_model_has_the_columns_of_the_table_they_make(marts: Marts) -> None:
    where = "table_schema = 'intermediate' and table_name like 'kpi_%'"
    columns = "list(column_name order by ordinal_position)"
    rows = marts.rows(f"select distinct {columns} from information_schema.columns where {where} group by table_name")
    kpis = marts.rows(f"select {columns} from information_schema.columns where table_name = 'kpis' and table_schema = 'marts'")
    assert rows == kpis

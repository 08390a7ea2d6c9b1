"""What dbt compiled, run again without dbt: the same tables and reports, and dbt itself whenever something is not as it was."""

import json
import re
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project import models
from dagster_project.models import compiled, project, runner
from dagster_project.settings import Settings
from dagster_project.warehouse import copying
from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")
EARLIER, LATER = utc("2026-04-08 09:30"), utc("2026-04-29 23:59")
SCHEMAS = ("staging", "intermediate", "marts")


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    raw = RawBuilder()
    raw.site(crew_hours_per_week=40.0)
    raw.run("run-1", "2026-04-07 12:00")
    raw.run("run-2", "2026-04-15 12:00")
    raw.add("teams", 3, name="Night shift")
    raw.order(1, "2026-03-02 10:00", "2026-03-03 10:30", work_order_time_items=[{"user_id": 7, "duration_seconds": 1800}])
    raw.order(2, "2026-03-02 10:00", due_at="2026-04-14 12:00", priority="HIGH")
    settings = build(raw, AS_OF).settings
    return Marts(settings, runner.build(settings, AS_OF, AS_OF, None, None))  # by dbt, whatever an earlier test kept


def contents(settings: Settings) -> dict[tuple[str, str], tuple[str, copying.Fingerprint]]:
    """Kind and content of every table and view that the models make."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("set timezone = 'UTC'")
        kinds = connection.execute(
            "select table_schema, table_name, table_type from information_schema.tables where table_schema in (select unnest(?))", [SCHEMAS]
        ).fetchall()
        return {(schema, name): (kind, copying.fingerprint(connection, f'select * from {schema}."{name}"')) for schema, name, kind in kinds}


def statements(kept: bytes) -> list[dict]:
    """The statements of a file in an order of their own: dbt's threads end in any."""
    return sorted(json.loads(kept)["statements"], key=lambda one: one["unique_id"])


def kept_file(settings: Settings) -> Path:
    return settings.dbt_target_dir / "statements.json"


@pytest.mark.parametrize(
    ("as_of", "known_at"),
    [
        (LATER, EARLIER),
        pytest.param(utc("2026-05-31 23:59"), AS_OF, marks=pytest.mark.slow),
        pytest.param(utc("2026-12-31 23:30"), utc("2026-04-07 12:00"), marks=pytest.mark.slow),
        pytest.param(utc("2027-01-01 00:00"), AS_OF, marks=pytest.mark.slow),
        pytest.param(utc("2025-12-29 00:00"), utc("2026-04-01 00:00"), marks=pytest.mark.slow),
    ],
    ids=["another day", "another month", "the last hour of a year", "the next year", "an ISO year's first day, nothing known"],
)
def test_what_dbt_compiled_once_is_what_it_compiles_at_other_instants_and_makes_the_same_tables(
    marts: Marts, as_of: datetime, known_at: datetime
) -> None:
    kept = kept_file(marts.settings).read_bytes()
    assert compiled.build(marts.settings, as_of, known_at, None) is not None
    ours = contents(marts.settings)
    runner.build(marts.settings, as_of, known_at, None, None)
    assert contents(marts.settings) == ours
    assert len(ours) > 70
    assert statements(kept_file(marts.settings).read_bytes()) == statements(kept)


def test_every_node_is_reported_and_told_as_by_dbt(marts: Marts) -> None:
    told: list[models.NodeReport] = []
    ours = models.build(marts.settings, AS_OF, AS_OF, on_node=told.append)
    assert tuple(told) == ours.nodes

    def about(report: models.ModelReport) -> set[tuple[str, str, str, str]]:
        return {(node.unique_id, node.name, node.resource_type, node.status) for node in report.nodes}

    assert about(ours) == about(marts.report)


def test_a_test_that_finds_rows_undoes_everything_and_dbt_says_which(marts: Marts) -> None:
    with duckdb.connect(str(marts.settings.warehouse_path)) as connection:
        connection.execute("insert into ops.sites select * from ops.sites")
    before = contents(marts.settings)
    assert compiled.build(marts.settings, LATER, AS_OF, None) is None
    assert contents(marts.settings) == before
    with pytest.raises(models.ModelsFailed, match="one_row_per_stg_sites_site_id"):
        models.build(marts.settings, AS_OF, AS_OF)
    with duckdb.connect(str(marts.settings.warehouse_path)) as connection:
        connection.execute("create or replace table ops.sites as select distinct * from ops.sites")
    assert models.build(marts.settings, AS_OF, AS_OF).nodes


def test_a_table_where_a_view_belongs_is_put_right_by_dbt(marts: Marts) -> None:
    with duckdb.connect(str(marts.settings.warehouse_path)) as connection:
        connection.execute("drop view staging.stg_teams; create table staging.stg_teams as select 1 as nothing")
    assert compiled.build(marts.settings, AS_OF, AS_OF, None) is None
    models.build(marts.settings, AS_OF, AS_OF)
    assert contents(marts.settings)["staging", "stg_teams"][0] == "VIEW"
    assert compiled.build(marts.settings, AS_OF, AS_OF, None) is not None


@pytest.mark.parametrize("damage", ["", "{", '{"made_from":"something else","statements":[]}'], ids=["empty", "cut", "of another project"])
def test_what_cannot_be_used_is_not_used(marts: Marts, damage: str) -> None:
    good = kept_file(marts.settings).read_bytes()
    kept_file(marts.settings).write_text(damage)
    assert compiled.build(marts.settings, AS_OF, AS_OF, None) is None
    kept_file(marts.settings).write_bytes(good)


def passed(found: Settings) -> set[str]:
    """The names of the variables that the runner passes to dbt."""
    arguments = runner._arguments(found, project.instants(AS_OF, AS_OF))
    return set(json.loads(arguments[arguments.index("--vars") + 1]))


def test_the_instants_reach_sql_as_they_are_and_nothing_else_of_a_run_does(tmp_path: Path) -> None:
    texts = {path.relative_to(models.PROJECT_DIR).as_posix(): path.read_text() for path in models.PROJECT_DIR.rglob("*.sql")}
    asked = {(path, name) for path, text in texts.items() for name in re.findall(r"""\bvar\(\s*["'](\w+)""", text)}
    declared = yaml.safe_load((models.PROJECT_DIR / "dbt_project.yml").read_text())["vars"]
    constants = declared.keys() - passed(Settings(data_dir=tmp_path))  # of the project, the same in every run
    instants = {(path, name) for path, name in asked if name not in constants}
    assert instants == {("macros/portable/as_of.sql", "as_of"), ("macros/portable/known_at.sql", "known_at")}
    assert 'instant(var("as_of"))' in texts["macros/portable/as_of.sql"]
    assert 'instant(var("known_at"))' in texts["macros/portable/known_at.sql"]
    assert "cast('{{ text }}' as timestamp with time zone)" in texts["macros/portable/instant.sql"]
    computed = re.compile(r"(?:as_of|known_at)\(\)\s*(?:\[|\||\.)")  # `~` joins it into SQL as it is
    words = ("run_started_at", "invocation_id", r"\bmodules\.", "env_var", "run_query", "load_result", r"\bflags\.", "is_incremental")
    of_a_run = re.compile("|".join((*words, r"\badapter\.(?!dispatch)")))
    assert [path for path, text in texts.items() if computed.search(text) or of_a_run.search(text)] == []

"""BigQuery's own SQL analyser accepts every model and data test, and finds what DuckDB lets through."""

import duckdb
import pytest

from dagster_project.warehouse.layout import tables
from tests.bigquery.compiling import TYPES, Compiled, Verdict, analysed

pytestmark = pytest.mark.dbt
READS = ("raw.teams", "raw.work_orders")
ORDERS = "select w.id as order_id, t.name from offline.raw.work_orders w {} join offline.raw.teams t on {}"
FAULTS = {
    "a column that is not there": ("select headcount from offline.raw.teams", "Unrecognized name: headcount"),
    "an instant compared with a date": (
        "select id from offline.raw.work_orders where due_at > date '2026-01-01'",
        "No matching signature for operator >",
    ),
    "a text where a number is due": ("select coalesce(name, 0) as x from offline.raw.teams", "No matching signature"),
    "a filtered aggregate": ("select sum(id) filter (where id > 1) as x from offline.raw.teams", "Expected end of input but got"),
    "a type of DuckDB's": ("select cast(id as hugeint) as x from offline.raw.teams", "Type not found: hugeint"),
    "a column without a name": ("select 1, name from offline.raw.teams", "has no name of its own"),
    "two columns of one name": ("select id, name as id from offline.raw.teams", "has no name of its own"),
    "an outer join by an inequality": (ORDERS.format("left", "t.id < w.id"), "an outer join without an equality"),
    "an outer join by a constant": (ORDERS.format("full outer", "t.id = 3 and w.id = 3"), "an outer join without an equality"),
    "a correlated subquery": (
        "select id, (select max(t.id) from offline.raw.teams t where t.id < w.id) as x from offline.raw.work_orders w",
        "a correlated subquery",
    ),
    "a running sum without rows": (
        "select id, sum(id) over (partition by name order by id nulls last) as x from offline.raw.teams",
        "NULLS LAST in a window without ROWS",
    ),
    "a table that nothing makes": ("select 1 as x from offline.raw.nothing", "it reads what is not there: raw.nothing"),
}
SOUND = {
    "an outer join by an equality": ORDERS.format("left", "t.id = w.asset_id and t.version_number < w.version_number"),
    "an outer join of an expression": ORDERS.format("left", "w.asset_id + 1 = t.id"),
    "a running sum of rows": "select sum(id) over (order by id nulls last rows unbounded preceding) as x from offline.raw.teams",
    "a rank": "select row_number() over (order by id nulls last) as x from offline.raw.teams",
    "the aliases of types": "select cast(id as bigint) as x, cast(true as boolean) as y from offline.raw.teams",
}


@pytest.fixture(scope="module")
def planted(bigquery_tools: object) -> dict[str, str]:
    """What the analyser says of each planted statement."""
    queries = {name: sql for name, (sql, _) in FAULTS.items()} | SOUND
    reads = {"a table that nothing makes": ("raw.nothing",)}
    return analysed([Compiled(name, sql, None, reads.get(name, READS)) for name, sql in queries.items()]).errors


def test_bigquery_accepts_every_model_and_data_test(verdict: Verdict, statements: list[Compiled]) -> None:
    assert verdict.errors == {}
    assert {one.makes for one in statements if one.makes} <= set(verdict.tables)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_analyser_finds(planted: dict[str, str], fault: str) -> None:
    assert FAULTS[fault][1] in planted[fault]


@pytest.mark.parametrize("sound", SOUND)
def test_the_analyser_accepts(planted: dict[str, str], sound: str) -> None:
    assert sound not in planted


def test_every_type_of_the_log_has_one_of_bigquerys() -> None:
    assert {type(dtype) for columns in tables().values() for dtype in columns.values()} == set(TYPES)


def test_the_planted_statements_run_on_duckdb_where_they_are_duckdbs() -> None:
    """The gate is needed: DuckDB has nothing against several of these."""
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as offline; create schema offline.raw; create table offline.raw.teams (id bigint, name varchar)"
        )
        connection.execute("create table offline.raw.work_orders (id bigint, due_at timestamptz, asset_id bigint)")
        for fault in (
            "a filtered aggregate",
            "a type of DuckDB's",
            "an outer join by an inequality",
            "a correlated subquery",
            "a running sum without rows",
        ):
            connection.execute(FAULTS[fault][0]).fetchall()

"""The tables that the pages are tested on are those that the pipeline publishes."""

from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project.warehouse import tables
from tests.dashboards.marts_builder import DDL

ADDED = {"quarantine": {"stale_since"}}  # by the publication
MODELS = Path(__file__).resolve().parents[2] / "dbt" / "models" / "marts"


def built(schema: str) -> dict[str, set[str]]:
    with duckdb.connect() as connection:
        connection.execute(DDL)
        query = "select table_name, list(column_name) from duckdb_columns() where schema_name = ? group by table_name order by table_name"
        return {table: set(columns) for table, columns in connection.execute(query, [schema]).fetchall()}


@pytest.mark.parametrize(("table", "columns"), built("ops").items(), ids=lambda value: value if isinstance(value, str) else "")
def test_an_ops_table_has_the_columns_of_the_warehouse(table: str, columns: set[str]) -> None:
    assert columns <= {*tables.OPS[table], *ADDED.get(table, ())}


@pytest.mark.parametrize(("table", "columns"), built("marts").items(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_mart_has_the_columns_that_its_model_describes(table: str, columns: set[str]) -> None:
    file = next(MODELS.rglob(f"{table}.yml"))
    model = yaml.safe_load(file.read_text(encoding="utf-8"))["models"][0]
    assert columns <= {column["name"] for column in model["columns"]}

"""Every statement that the warehouse sends is good GoogleSQL over its own tables; the stand-in takes some that BigQuery does not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from dagster_project.frames.contract import contract
from dagster_project.warehouse.base import BigQueryTrouble, Commit, State, Tombstone
from dagster_project.warehouse.bigquery import SEEN_AGAIN, BigQueryWarehouse
from dagster_project.warehouse.bigquery_jobs import TYPES, Jobs, Place
from dagster_project.warehouse.bigquery_lease import LEASES, BigQueryLease
from dagster_project.warehouse.tables import LATEST, OPS
from tests.bigquery.compiling import PROJECT, Compiled, analysed

pytestmark = pytest.mark.dbt
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Listening(Jobs):
    """Takes down what would be sent; nobody answers."""

    def __init__(self) -> None:
        self.place, self.token = Place(PROJECT, "EU"), "token"
        self.said: list[str] = []
        self.loaded = {"ops.lease": {name: TYPES[type(dtype)] for name, dtype in LEASES.items()}}

    def query(self, sql: str, parameters: Sequence = ()) -> pl.DataFrame:
        self.said.append(sql)
        return pl.DataFrame({"found": [], "table_name": []})

    def run(self, sql: str) -> None:
        self.said += [one for one in sql.removesuffix(";").split(";\n") if one]

    def load(self, table: str, rows: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> None:
        self.loaded[table] = {name: TYPES[type(dtype)] for name, dtype in columns.items()}


class Unheard(BigQueryWarehouse):
    """A warehouse whose jobs go nowhere."""

    def __init__(self, jobs: Listening) -> None:
        super().__init__(jobs.place)
        self._jobs, self._lease = jobs, BigQueryLease(jobs)

    def check_lease(self) -> None:
        pass


def rows(schema: Mapping[str, pl.DataType], count: int) -> pl.DataFrame:
    """So many rows without a value."""
    return pl.DataFrame({name: [None] * count for name in schema}, schema=dict(schema))


def batch(table: str, count: int) -> Commit:
    """A batch with something of everything; what is large goes through load jobs."""
    declared = contract(table)
    stones = [Tombstone(101, number, "run-1", NOW) for number in range(count)]
    return Commit(
        table, 101, versions=rows(declared.schema, count), children={child.name: rows(child.schema, count) for child in declared.children},
        latest=rows(LATEST, count), seen_again=rows(SEEN_AGAIN, count), tombstones=stones, accepted=rows({"record_id": pl.Int64()}, count),
        quarantine=rows(OPS["quarantine"], count), drift=rows(OPS["drift"], count), states=[State(101, table, watermark=NOW)],
        seen=rows(OPS["seen"], count), endpoint_run={"run_id": "run-1", "organisation_id": 101, "endpoint": table, "kind": "sync"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def heard() -> Listening:
    """Every statement of every verb, once with few rows and once with many."""
    jobs = Listening()
    warehouse = Unheard(jobs)
    for table in ("work_orders", "teams"):  # the one with most children, and a plain one
        for count in (2, 1500):
            warehouse.commit(batch(table, count))
            warehouse.latest(table, 101, range(count))
            warehouse.column_of(table, 101, "run_id", range(count))
        warehouse.live(table, 101)
        warehouse.damaged(table, 101)
    warehouse.states(101, "teams")
    warehouse._refuse_states(101, "teams", "somebody's")
    warehouse.forget_slices(101, "teams", State(101, "teams"))
    entry = {"organisation_id": 101, "endpoint": "teams", "record_id": None, "raw_hash": 5, "reason_code": "unreadable"}
    warehouse.discard([entry], [{"audited_at": NOW, "action": "discarded", "detail": "it's gone"}])
    warehouse.snapshot(NOW)
    warehouse.tables("marts")
    for table, columns in OPS.items():
        warehouse.insert(table, rows(columns, 1).to_dicts())
        warehouse.replace(table, rows(columns, 30).to_dicts(), {})
    warehouse.lease._make_row()
    with pytest.raises(BigQueryTrouble):
        warehouse.lease._is_taken()
    jobs.run(warehouse.lease._renewal())
    return jobs


def test_every_statement_of_the_warehouse_is_good_googlesql(heard: Listening, bigquery_tools: Path) -> None:
    about = "INFORMATION_SCHEMA"  # BigQuery's own tables, which the analyser does not know
    distinct = dict.fromkeys(one for one in heard.said if about not in one)
    found = analysed([Compiled(sql[:2000], sql, None, ()) for sql in distinct], heard.loaded)
    assert len(distinct) > 90
    assert found.errors == {}

"""The datasets and tables of raw and ops in BigQuery: made when they are missing, refused when they are not ours."""

from collections.abc import Mapping

import polars as pl
from google.cloud import bigquery

from dagster_project.warehouse.base import BigQueryTrouble
from dagster_project.warehouse.bigquery_jobs import DATASETS, TYPES, Jobs, schema, told
from dagster_project.warehouse.layout import tables

A_DAY = 24 * 60 * 60 * 1000  # milliseconds; what a killed process left in `loading` goes by itself
KEYS = ("organisation_id", "id", "version_number")
NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}  # BigQuery's older names of its types


def make_tables(jobs: Jobs) -> None:
    """Make the datasets, tables and columns that are missing.

    Raises:
        BigQueryTrouble: a column has another type than ours.
    """
    for name in DATASETS:
        dataset = bigquery.Dataset(f"{jobs.place.project}.{jobs.place.prefix}{name}")
        dataset.location = jobs.place.location
        if name == "loading":
            dataset.default_table_expiration_ms = A_DAY
        told(jobs.place, lambda dataset=dataset: jobs.client.create_dataset(dataset, exists_ok=True))
    declared = tables()
    found = {name: _columns(jobs, name) for name in ("raw", "ops")}
    for name, columns in declared.items():
        dataset, _, table = name.partition(".")
        known = found[dataset].get(table)
        if known is None:
            told(jobs.place, lambda name=name, columns=columns: jobs.client.create_table(_table(jobs, name, columns), exists_ok=True))
        else:
            _complete(jobs, name, columns, known)


def _columns(jobs: Jobs, dataset: str) -> dict[str, dict[str, str]]:
    """Return the columns of each table of a dataset, with their types: one query, which costs nothing."""
    query = f"select table_name, column_name, data_type from {dataset}.INFORMATION_SCHEMA.COLUMNS"
    found: dict[str, dict[str, str]] = {}
    for table, column, dtype in jobs.query(query).iter_rows():
        found.setdefault(table, {})[column] = NAMES.get(dtype, dtype)
    return found


def _table(jobs: Jobs, name: str, columns: Mapping[str, pl.DataType]) -> bigquery.Table:
    made = bigquery.Table(jobs.path(name), schema=schema(columns))
    made.clustering_fields = [key for key in KEYS if key in columns] if name.startswith("raw.") else None
    if "payload" in columns:  # the log itself; by month, so that ten years stay below the 4,000 partitions of a table
        made.time_partitioning = bigquery.TimePartitioning(type_=bigquery.TimePartitioningType.MONTH, field="observed_at")
    return made


def _complete(jobs: Jobs, name: str, columns: Mapping[str, pl.DataType], known: Mapping[str, str]) -> None:
    for column, dtype in columns.items():
        if column in known and known[column] != TYPES[type(dtype)]:
            what = f"{name}.{column} is {known[column]}, not {TYPES[type(dtype)]}"
            raise BigQueryTrouble(f"{jobs.place}: {what}: it was changed by something else than this program")
    missing = {column: dtype for column, dtype in columns.items() if column not in known}
    if missing:  # they came with a newer version of this program
        table = told(jobs.place, lambda: jobs.client.get_table(jobs.path(name)))
        table.schema = [*table.schema, *schema(missing)]
        told(jobs.place, lambda: jobs.client.update_table(table, ["schema"]))

"""Tables of a published DuckDB file as tables in BigQuery, for a shop whose own warehouse is DuckDB."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing

import polars as pl
from google.cloud import bigquery

from dagster_project.warehouse.bigquery_jobs import Jobs, Place, told
from dagster_project.warehouse.copying import Connection
from dagster_project.warehouse.exporting import Selection


def load(connection: Connection, selections: Sequence[Selection], place: Place) -> Iterator[tuple[Selection, int]]:
    """Replace each table of BigQuery by the selection, in one load job each, and yield it with its rows.

    The datasets are made when they are missing. A reader sees the old table or the new one.

    Raises:
        BigQueryTrouble: BigQuery cannot be reached or refuses.
    """
    jobs = Jobs(place, f"export-{secrets.token_hex(8)}")
    with closing(jobs.client):
        for schema in sorted({selection.schema for selection in selections}):
            dataset = bigquery.Dataset(f"{place.project}.{place.prefix}{schema}")
            dataset.location = place.location
            told(place, lambda dataset=dataset: jobs.client.create_dataset(dataset, exists_ok=True))
        for selection in selections:
            rows: pl.DataFrame = connection.sql(selection.query).pl()
            jobs.load(f"{selection.schema}.{selection.table}", rows, rows.schema)
            yield selection, rows.height

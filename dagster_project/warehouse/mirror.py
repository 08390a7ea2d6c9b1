"""What readers are given of BigQuery, in a DuckDB file beside: dashboards, exports and digests go on reading one published file."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from dagster_project.frames.schemas import RECORDS
from dagster_project.warehouse.bigquery import BigQueryWarehouse
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.tables import OPS

FILE = "mirror.duckdb"


class Mirror(DuckDBWarehouse):
    """Marts and ops of a BigQuery warehouse as a DuckDB one, to publish from; the right to write is BigQuery's lease."""

    def __init__(self, source: BigQueryWarehouse, path: Path, memory_limit: str):
        super().__init__(path, memory_limit)
        self.source = source

    def check_lease(self) -> None:
        """Raise unless this process is still the one that may write to BigQuery.

        Raises:
            LeaseLost: another one has taken over.
        """
        self.source.check_lease()
        super().check_lease()

    def fill(self) -> None:
        """Copy marts, ops, and of the latest rows what tells a stale quarantine entry."""
        with self.transaction():
            for table in OPS:
                self.append(f"ops.{table}", self.source.query(f"select * from ops.{table}").cast(pl.Schema(OPS[table])))
            for table in RECORDS:
                refused = f"select record_id from ops.quarantine where endpoint = '{table}'"
                rows = self.source.query(f"select * from raw.{table}_latest where id in ({refused})")
                self.append(f"raw.{table}_latest", rows.cast({"version_number": pl.Int32}))
            self.connection.execute("create schema if not exists marts")
            for table in self.source.tables("marts"):
                with self.given(given_rows=self.source.query(f"select * from marts.{table}")):
                    self.connection.execute(f'create or replace table marts."{table}" as from given_rows')

    def give_back(self, known: str | None) -> None:
        """Append to BigQuery's ops.kpi_reported what was reported after the version that it knew last."""
        query = "select * from ops.kpi_reported where version > coalesce(?, '') order by all"
        if (news := self.query(query, [known])).height:
            self.source.insert("kpi_reported", news.to_dicts())


@contextmanager
def mirrored(source: BigQueryWarehouse, folder: Path, memory_limit: str) -> Generator[DuckDBWarehouse]:
    """Give a DuckDB warehouse with what BigQuery has for readers; what is reported in it meanwhile goes back to BigQuery.

    A process that is killed before that finds its figures in the published file the next time, and gives those back.
    """
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with Mirror(source, path, memory_limit) as mirror:
        mirror.fill()
        known = mirror.query("select max(version) as version from ops.kpi_reported")["version"].item()
        yield mirror
        mirror.give_back(known)
    for left in folder.glob(f"{path.stem}.*"):  # the file, its lock and its lease
        shutil.rmtree(left) if left.is_dir() else left.unlink()

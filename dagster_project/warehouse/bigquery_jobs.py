"""BigQuery as far as the warehouse needs it: queries, load jobs and scripts, each under a job id that follows from what it does."""

import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import polars as pl
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, GoogleAPICallError, NotFound, ServerError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud import bigquery

from dagster_project.warehouse.base import BigQueryTrouble, LeaseLost

DATASETS = ("raw", "ops", "staging", "intermediate", "marts", "dbt_tests", "loading", "snapshots")
ATTEMPTS = 3  # of a job that BigQuery itself could not finish; each has an id of its own, as the id of a failed job is spent
PASSING = ("backendError", "internalError", "jobBackendError", "jobInternalError", "rateLimitExceeded", "jobRateLimitExceeded")
CONCURRENT = "due to concurrent update"  # another statement changed the same table: BigQuery took ours back whole
LEASE_LOST = "lease lost"  # what our scripts say when another writer has taken over
TYPES: dict[type[pl.DataType], str] = {
    pl.Int64: "INT64", pl.Int32: "INT64", pl.String: "STRING", pl.Float64: "FLOAT64", pl.Boolean: "BOOL", pl.Datetime: "TIMESTAMP",
    pl.Date: "DATE",
}  # fmt: skip
_PARAMETERS: dict[type, str] = {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", datetime: "TIMESTAMP", date: "DATE"}
Answer = TypeVar("Answer")
_OURS = re.compile(rf"\b({'|'.join(DATASETS)})\.(?=\w)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in BigQuery: the project, the location of the datasets, what their names begin with, and a stand-in's address."""

    project: str
    location: str
    prefix: str = ""
    endpoint: str | None = None

    def __str__(self) -> str:
        """Return what people call it."""
        return f"BigQuery project {self.project}, datasets {self.prefix}raw, {self.prefix}ops, …"


class Jobs:
    """One client, and the jobs it runs.

    A job's id is made of its content and of a number that counts up within a process: a request that is sent twice because
    its answer was lost finds the job that is there already, so nothing is loaded or written twice.

    Raises:
        BigQueryTrouble: no credentials, no right, no such project: says which and what to do.
    """

    def __init__(self, place: Place, token: str):
        self.place, self.token, self._count = place, token, 0
        given: dict[str, Any] = {"project": place.project, "location": place.location}
        if place.endpoint:
            given |= {"credentials": AnonymousCredentials(), "client_options": {"api_endpoint": place.endpoint}}
        self.client = told(place, lambda: bigquery.Client(**given))

    def named(self, sql: str) -> str:
        """Return a statement of ours with the datasets as they are called here."""
        return _OURS.sub(rf"{self.place.prefix}\1.", sql) if self.place.prefix else sql

    def query(self, sql: str, parameters: Sequence = ()) -> pl.DataFrame:
        """Return the rows of a query; `?` in it are its parameters, in order."""
        config = bigquery.QueryJobConfig(query_parameters=[_parameter(value) for value in parameters])
        job = told(self.place, lambda: self.client.query(self.named(sql), job_config=config))
        # without BigQuery's storage API: it needs a right more, and another library
        rows = told(self.place, lambda: job.result().to_arrow(create_bqstorage_client=False))
        return pl.DataFrame(pl.from_arrow(rows))

    def run(self, sql: str) -> int | None:
        """Run a statement or a script, once; return the number of rows that a single statement changed."""
        named = self.named(sql)

        def start(job_id: str) -> Any:
            return self.client.query(named, job_id=job_id, job_retry=None)

        return self._done(start, named).num_dml_affected_rows

    def load(self, table: str, rows: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> None:
        """Fill a table of ours (`loading.x`) with the rows, replacing what it held: Parquet by a load job, types as declared."""
        parquet = io.BytesIO()
        rows.select(list(columns)).cast({pl.Int32: pl.Int64}).write_parquet(parquet)
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET, schema=schema(columns), write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE
        )

        def start(job_id: str) -> Any:
            parquet.seek(0)
            return self.client.load_table_from_file(parquet, self.path(table), rewind=True, job_id=job_id, job_config=config)

        self._done(start, table, hashlib.sha256(parquet.getbuffer()).hexdigest())

    def path(self, table: str) -> str:
        """Return project.dataset.table of a table of ours."""
        return f"{self.place.project}.{self.place.prefix}{table}"

    def _done(self, start: Callable[[str], Any], *content: str) -> Any:
        """Start a job, or find the one that was started; wait for its end. One that BigQuery failed to run is run again."""
        self._count += 1
        digest = hashlib.sha256("\0".join((self.token, str(self._count), *content)).encode()).hexdigest()[:32]
        for attempt in range(ATTEMPTS):
            job = told(self.place, lambda job_id=f"maintainx-{digest}-{attempt}": self._started(start, job_id))
            try:
                job.result()
            except GoogleAPICallError as error:
                if attempt + 1 == ATTEMPTS or not _passes(job, error):
                    raise _said(self.place, error) from error
            else:
                return job
        raise AssertionError("unreachable")

    def _started(self, start: Callable[[str], Any], job_id: str) -> Any:
        try:
            return start(job_id)
        except Conflict:  # the first request arrived, its answer did not
            return self.client.get_job(job_id, location=self.place.location)


def schema(columns: Mapping[str, pl.DataType]) -> list[bigquery.SchemaField]:
    """Return the columns as BigQuery declares them."""
    return [bigquery.SchemaField(name, TYPES[type(dtype)]) for name, dtype in columns.items()]


def told(place: Place, ask: Callable[[], Answer]) -> Answer:
    """Return what BigQuery answers.

    Raises:
        BigQueryTrouble, LeaseLost: what it refused, and what to do about it.
    """
    try:
        return ask()
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise _said(place, error) from error


def _passes(job: Any, error: GoogleAPICallError) -> bool:
    reason = (job.error_result or {}).get("reason")
    return isinstance(error, ServerError) or reason in PASSING or CONCURRENT in str(error)


def _said(place: Place, error: Exception) -> Exception:
    text = str(error).split("\n")[0]
    if LEASE_LOST in str(error):
        return LeaseLost(f"{place} was taken over by another process while this one stood still: its last batch was not stored; run again")
    if isinstance(error, DefaultCredentialsError):
        return BigQueryTrouble(
            "there are no credentials for BigQuery: run `gcloud auth application-default login`, attach a service account to this "
            "machine, or let GOOGLE_APPLICATION_CREDENTIALS name its key file (docs/bigquery.md)"
        )
    advice = {
        Forbidden: "the account needs roles/bigquery.dataEditor on the datasets (bigquery.user makes them) and roles/bigquery.jobUser",
        NotFound: "look at BIGQUERY_PROJECT, BIGQUERY_LOCATION and BIGQUERY_DATASET_PREFIX; a dataset cannot be read from another location",
        BadRequest: "this is a fault of the program or of a table that something else changed",
    }
    what = next((said for kind, said in advice.items() if isinstance(error, kind)), "try again; docs/bigquery.md says what helps")
    return BigQueryTrouble(f"{place}: {text} ({what})")


def _parameter(value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(value, list | tuple):
        return bigquery.ArrayQueryParameter(None, _PARAMETERS[type(value[0])] if value else "INT64", list(value))
    return bigquery.ScalarQueryParameter(None, _PARAMETERS.get(type(value), "STRING"), value)

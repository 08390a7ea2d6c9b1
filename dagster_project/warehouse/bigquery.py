"""BigQuery behind the verbs of `base.py`: rows arrive by load jobs, every batch is one multi-statement transaction."""

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

import polars as pl

from dagster_project.failpoint import failpoint
from dagster_project.frames.contract import contract
from dagster_project.warehouse.base import BatchSize, Commit, Latest, NotOnBigQuery, State
from dagster_project.warehouse.bigquery_batch import Script, condition, same, script
from dagster_project.warehouse.bigquery_changes import TAKEN_UP_AGAIN, among, bury, count, put, sealed
from dagster_project.warehouse.bigquery_jobs import Jobs, Place
from dagster_project.warehouse.bigquery_layout import make_tables
from dagster_project.warehouse.bigquery_lease import BigQueryLease, Say
from dagster_project.warehouse.duckdb import DRIFT_KEY, QUARANTINE_KEY
from dagster_project.warehouse.layout import tables
from dagster_project.warehouse.lease import wall_clock
from dagster_project.warehouse.tables import DAMAGED, LATEST, OPS

SEEN_AGAIN = {"organisation_id": pl.Int64(), "id": pl.Int64(), "raw_hash": pl.Int64()}
KEPT_DAYS = 35  # of a snapshot


class BigQueryWarehouse:
    """The warehouse in BigQuery; entering takes the writer's lease and makes missing datasets, tables and columns.

    Args:
        place: project, location and names.
        wait_seconds: how long to wait for another writer.
        say: told, once a minute, whom it waits for.
        lease_seconds: after so long without a sign of life another process may take over.
    """

    batch = BatchSize(rows=100_000, size=256 * 2**20, seconds=600.0)

    def __init__(self, place: Place, wait_seconds: float = 0, say: Say = print, lease_seconds: int = 600):
        self.place, self.wait_seconds, self.say, self.lease_seconds = place, wait_seconds, say, lease_seconds
        self._jobs: Jobs | None = None
        self._lease: BigQueryLease | None = None
        self._scripts = 0

    def __enter__(self) -> Self:
        self._jobs = Jobs(self.place, hashlib.sha256(f"{id(self)} {wall_clock()}".encode()).hexdigest())
        make_tables(self._jobs)
        self._lease = BigQueryLease(self._jobs, self.lease_seconds)
        self._lease.take(self.wait_seconds, self.say)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._lease:
            self._lease.release()
        if self._jobs:
            self._jobs.client.close()

    @property
    def jobs(self) -> Jobs:
        """Return what runs the jobs."""
        if self._jobs is None:
            raise RuntimeError("the warehouse is not open: use it with `with`")
        return self._jobs

    @property
    def lease(self) -> BigQueryLease:
        """Return the right to write."""
        if self._lease is None:
            raise RuntimeError("the warehouse is not open: use it with `with`")
        return self._lease

    @property
    def connection(self) -> Any:
        """Refuse: what asks for DuckDB's connection works on a DuckDB file alone.

        Raises:
            NotOnBigQuery: always.
        """
        raise NotOnBigQuery(
            f"{self.place}: this command works on the files of a DuckDB warehouse; docs/bigquery.md says what takes its place"
        )

    @contextmanager
    def frugal(self) -> Generator[None]:
        """Do nothing: the memory is BigQuery's."""
        yield

    @contextmanager
    def released(self) -> Generator[None]:
        """Let dbt work while the lease is held."""
        yield
        self.check_lease()

    def check_lease(self) -> None:
        """Raise unless this process is still the one that may write.

        Raises:
            LeaseLost: another one has taken over.
        """
        self.lease.check()

    def latest(self, table: str, organisation_id: int, ids: Sequence[int]) -> dict[int, Latest]:
        """Return the newest version of those of `ids` that are known, deleted ones included."""
        columns = ", ".join(name for name in LATEST if name not in ("organisation_id", "id"))
        these, given = among(ids)
        found = self.query(f"select id, {columns} from raw.{table}_latest where organisation_id = ? and {these}", [organisation_id, *given])
        return {record_id: Latest(*row) for record_id, *row in found.iter_rows()}

    def live(self, table: str, organisation_id: int) -> pl.DataFrame:
        """Return id, created_at, updated_at, status, labour_seconds and cost_cents of every live record, by id."""
        columns = "id, created_at, updated_at, status, labour_seconds, cost_cents"
        return self.query(
            f"select {columns} from raw.{table}_latest where organisation_id = ? and not is_deleted order by id", [organisation_id]
        )

    def column_of(self, table: str, organisation_id: int, column: str, ids: Sequence[int]) -> list:
        """Return the distinct values of a column in the newest versions of `ids`, in order."""
        these, given = among(ids)
        return self.query(
            f"""select distinct v.{column} as found from raw.{table} v join raw.{table}_latest l using (organisation_id, id, version_number)
            where organisation_id = ? and {these} and v.{column} is not null order by found""",
            [organisation_id, *given],
        )["found"].to_list()

    def damaged(self, table: str, organisation_id: int) -> dict[int, Any]:
        """Return the live records whose newest payload was found damaged, each with the instant it was created at."""
        query = f"select id, created_at from raw.{table}_latest where organisation_id = ? and shape_version = ? and not is_deleted"
        return dict(self.query(query, [organisation_id, DAMAGED]).rows())

    def commit(self, batch: Commit) -> None:
        """Store one batch in one transaction."""
        with self._transaction() as writing:
            if batch.versions is not None and batch.latest is not None and batch.versions.height:
                declared = contract(batch.table)
                writing.insert(f"raw.{batch.table}", batch.versions, declared.schema)
                for child in declared.children:
                    if child.name in batch.children:
                        writing.insert(f"raw.{child.name}", batch.children[child.name], child.schema)
                writing.replace(f"raw.{batch.table}_latest", batch.latest, LATEST, ("organisation_id", "id"))
            if batch.seen_again is not None and batch.seen_again.height:
                given = writing.relation(batch.seen_again, SEEN_AGAIN)
                writing.add(
                    f"update raw.{batch.table}_latest t set raw_hash = g.raw_hash from {given} g "
                    "where t.organisation_id = g.organisation_id and t.id = g.id"
                )
            bury(writing, batch.table, batch.tombstones)
            if batch.accepted is not None and batch.accepted.height:
                given = writing.relation(batch.accepted, {"record_id": pl.Int64()})
                about = condition({"organisation_id": batch.organisation_id, "endpoint": batch.table, "status": "open"})
                writing.add(f"update ops.quarantine set status = 'replayed' where {about} and record_id in (select record_id from {given})")
            count(writing, "quarantine", batch.quarantine, QUARANTINE_KEY, TAKEN_UP_AGAIN)
            count(writing, "drift", batch.drift, DRIFT_KEY)
            put(writing, "state", [sealed(asdict(state)) for state in batch.states], ("organisation_id", "endpoint", "slice"))
            if batch.seen is not None:
                writing.insert("ops.seen", batch.seen, OPS["seen"])
            if batch.endpoint_run:
                put(writing, "endpoint_runs", [batch.endpoint_run], ("run_id", "organisation_id", "endpoint", "kind"))

    def states(self, organisation_id: int, endpoint: str) -> dict[str, State]:
        """Return the endpoint's states by slice; none when one of them was changed by anything but a sync: it is read anew."""
        rows = self.query(
            "select * from ops.state where organisation_id = ? and endpoint = ? order by slice", [organisation_id, endpoint]
        ).to_dicts()
        if foreign := [row for row in rows if row["seal"] != sealed(row)["seal"]]:
            said = "; ".join(f"slice {row['slice'] or 'main'}, watermark {row['watermark'] or 'none'}" for row in foreign)
            self._refuse_states(organisation_id, endpoint, said)
            return {}
        return {row["slice"]: State(**{name: row[name] for name in State.__dataclass_fields__}) for row in rows}

    def _refuse_states(self, organisation_id: int, endpoint: str, found: str) -> None:
        detail = f"ops.state was changed by something else than a sync ({found}): it was dropped, and everything is read again"
        about = {"organisation_id": organisation_id, "endpoint": endpoint}
        with self._transaction() as writing:
            writing.add(f"delete from ops.state where {condition(about)}")
            put(writing, "audit", [about | {"audited_at": wall_clock(), "action": "state_refused", "detail": detail}], ())

    def forget_slices(self, organisation_id: int, endpoint: str, main: State) -> None:
        """End a first load: replace its slices by the main state."""
        self.replace("state", [asdict(main)], {"organisation_id": organisation_id, "endpoint": endpoint})

    def insert(self, table: str, rows: Iterable[dict]) -> None:
        """Append rows to a table of ops."""
        with self._transaction() as writing:
            put(writing, table, rows, ())

    def replace(self, table: str, rows: Iterable[dict], where: dict) -> None:
        """Replace the rows of a table of ops that match `where` by `rows`, in one transaction."""
        with self._transaction() as writing:
            writing.add(f"delete from ops.{table} where {condition(where)}")
            put(writing, table, [sealed(row) if table == "state" else row for row in rows], ())

    def discard(self, entries: Sequence[Mapping], audit: Sequence[dict]) -> None:
        """Give up entries of ops.quarantine (rows of it), and append to ops.audit why."""
        columns = {name: OPS["quarantine"][name] for name in ("organisation_id", "endpoint", "record_id", "raw_hash", "reason_code")}
        given = pl.DataFrame([{name: row[name] for name in columns} for row in entries], schema=columns, orient="row")
        with self._transaction() as writing:
            source = writing.relation(given, columns)
            writing.add(f"update ops.quarantine t set status = 'discarded' from {source} g where {same(QUARANTINE_KEY, 't', 'g')}")
            put(writing, "audit", audit, ())

    def query(self, sql: str, parameters: Sequence = ()) -> pl.DataFrame:
        """Return the result of a query."""
        return self.jobs.query(sql, parameters)

    def tables(self, schema: str) -> list[str]:
        """Return the names of the tables and views of a dataset, in alphabetical order."""
        return self.query(f"select table_name from {schema}.INFORMATION_SCHEMA.TABLES order by table_name")["table_name"].to_list()

    def row_counts(self, *_schemas: str) -> dict[tuple[str, str], int]:
        """Return nothing: BigQuery's console shows what each table has, and asking would cost a request for each."""
        return {}

    def snapshot(self, at: datetime) -> str:
        """Keep what no rebuild can bring back, as it is now, and return what the snapshots' names end in.

        One statement per table; a snapshot shares its bytes with its table, so it costs what is deleted later, and goes after
        KEPT_DAYS. Restored by `create table raw.x clone snapshots.raw_x_<stamp>`.
        """
        stamp = f"{at:%Y%m%dT%H%M%S}"
        until = f"timestamp_add(current_timestamp(), interval {KEPT_DAYS} day)"
        self.check_lease()
        for name in tables():
            copy = f"snapshots.{name.replace('.', '_')}_{stamp}"
            self.jobs.run(f"create snapshot table if not exists {copy} clone {name} options (expiration_timestamp = {until})")
        return stamp

    @contextmanager
    def _transaction(self) -> Generator[Script]:
        """Run what the block gathers, all of it or nothing; nothing if another writer has taken over meanwhile.

        Raises:
            LeaseLost: another writer has taken over.
        """
        self._scripts += 1
        writing = script(self.jobs, self._scripts)
        yield writing
        if writing.statements:
            failpoint("transaction.before_commit")
            with self.lease.guarding() as opening:
                self.jobs.run(writing.text(opening))
            failpoint("transaction.after_commit")
        writing.clean()

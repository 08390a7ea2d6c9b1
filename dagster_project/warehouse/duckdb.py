"""DuckDB behind the verbs of `base.py`: one file, one writer, every batch one transaction."""

import fcntl
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Self

import duckdb
import polars as pl

from dagster_project.failpoint import failpoint
from dagster_project.frames.contract import contract
from dagster_project.frames.schemas import RECORDS
from dagster_project.warehouse.base import Commit, Latest, State, Tombstone, WarehouseBusy
from dagster_project.warehouse.tables import LATEST, OPS

_SQL_TYPES: dict[type[pl.DataType], str] = {
    pl.Int64: "BIGINT", pl.Int32: "INTEGER", pl.String: "VARCHAR", pl.Float64: "DOUBLE", pl.Boolean: "BOOLEAN",
    pl.Datetime: "TIMESTAMPTZ", pl.Date: "DATE",
}  # fmt: skip


QUARANTINE_KEY = ("{}.organisation_id", "{}.endpoint", "coalesce({0}.record_id, {0}.raw_hash)", "{}.reason_code")
DRIFT_KEY = ("{}.organisation_id", "{}.endpoint", "{}.kind", "{}.field", "{}.value")


def connect(path: Path | None, memory_limit: str, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection with the settings every one of ours has: UTC, a memory limit, temporary files beside the file."""
    found = duckdb.connect(str(path or ":memory:"), read_only=read_only)
    found.execute("set timezone = 'UTC'")
    found.execute(f"set memory_limit = '{memory_limit}'")
    if path and not read_only:
        found.execute(f"set temp_directory = '{path.parent / 'tmp'}'")
    return found


class DuckDBWarehouse:
    """The warehouse in one DuckDB file; entering takes the writer's lock and makes missing tables and columns.

    Without a path it lives in memory and is gone when left: for trying things out, there is nobody to lock out.
    """

    def __init__(self, path: Path | None, memory_limit: str = "2GB"):
        self.path, self.memory_limit = path, memory_limit
        self._lock: IO[str] | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    @classmethod
    def in_memory(cls) -> Self:
        """Return a warehouse without a file, to use with `with`: the same code, nothing on the disk."""
        return cls(None)

    def __enter__(self) -> Self:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.path.with_suffix(".lock"))
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()
        if self._lock:
            self._lock.close()
            self._lock = None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the open connection (publish and backup copy whole tables with it)."""
        if self._connection is None:
            raise RuntimeError("the warehouse is not open: use it with `with`")
        return self._connection

    @contextmanager
    def released(self) -> Generator[None]:
        """Let another client of this process (dbt) open the file, the lock still held."""
        if self.path is None:
            raise RuntimeError("a warehouse in memory has no file that another client could open")
        self._close()
        try:
            yield
        finally:
            self._open()

    def latest(self, table: str, organisation_id: int, ids: Sequence[int]) -> dict[int, Latest]:
        """Return the newest version of those of `ids` that are known, deleted ones included."""
        wanted = pl.DataFrame({"id": ids}, schema={"id": pl.Int64()})
        columns = ", ".join(f"l.{name}" for name in LATEST if name not in ("organisation_id", "id"))
        with self._given(wanted=wanted):
            rows = self.connection.execute(
                f"select l.id, {columns} from raw.{table}_latest l semi join wanted using (id) where l.organisation_id = ?",
                [organisation_id],
            ).fetchall()
        return {row[0]: Latest(*row[1:]) for row in rows}

    def live(self, table: str, organisation_id: int) -> pl.DataFrame:
        """Return id, created_at, updated_at, status, labour_seconds and cost_cents of every live record, by id."""
        return self.query(
            f"""select id, created_at, updated_at, status, labour_seconds, cost_cents
            from raw.{table}_latest where organisation_id = ? and not is_deleted order by id""",
            [organisation_id],
        )

    def column_of(self, table: str, organisation_id: int, column: str, ids: Sequence[int]) -> list:
        """Return the distinct values of a column in the newest versions of `ids`, in order."""
        wanted = pl.DataFrame({"id": ids}, schema={"id": pl.Int64()})
        with self._given(wanted=wanted):
            rows = self.connection.execute(
                f"""select distinct v.{column} from raw.{table} v join raw.{table}_latest l using (organisation_id, id, version_number)
                semi join wanted using (id) where organisation_id = ? and v.{column} is not null order by 1""",
                [organisation_id],
            ).fetchall()
        return [row[0] for row in rows]

    def commit(self, batch: Commit) -> None:
        """Store one batch in one transaction."""
        with self._transaction():
            if batch.versions is not None and batch.latest is not None and batch.versions.height:
                self._append(f"raw.{batch.table}", batch.versions)
                failpoint("commit.versions")
                for name, rows in batch.children.items():
                    self._append(f"raw.{name}", rows)
                failpoint("commit.children")
                self._replace_keys(f"raw.{batch.table}_latest", batch.latest, ("organisation_id", "id"))
                failpoint("commit.latest")
            if batch.seen_again is not None and batch.seen_again.height:
                self._note_bytes(batch.table, batch.seen_again)
            for stone in batch.tombstones:
                self._bury(batch.table, stone)
                failpoint("commit.tombstone")
            self._release(batch)
            self._count("quarantine", batch.quarantine, QUARANTINE_KEY, "status = 'open', raw_json = g.raw_json, run_id = g.run_id")
            self._count("drift", batch.drift, DRIFT_KEY)
            self._save_states(batch.states)
            if batch.seen is not None:
                self._append("ops.seen", batch.seen)
            failpoint("commit.states")
            if batch.endpoint_run:
                self._save("endpoint_runs", [batch.endpoint_run], ("run_id", "organisation_id", "endpoint", "kind"))

    def states(self, organisation_id: int, endpoint: str) -> dict[str, State]:
        """Return the endpoint's states by slice."""
        rows = self.query(
            f"select {', '.join(OPS['state'])} from ops.state where organisation_id = ? and endpoint = ?", [organisation_id, endpoint]
        )
        return {row["slice"]: State(**row) for row in rows.to_dicts()}

    def forget_slices(self, organisation_id: int, endpoint: str, main: State) -> None:
        """End a first load: replace its slices by the main state."""
        self.replace("state", [asdict(main)], {"organisation_id": organisation_id, "endpoint": endpoint})

    def insert(self, table: str, rows: Iterable[dict]) -> None:
        """Append rows to a table of ops."""
        self._append(f"ops.{table}", _ops_frame(table, rows))

    def replace(self, table: str, rows: Iterable[dict], where: dict) -> None:
        """Replace the rows of a table of ops that match `where` by `rows`, in one transaction."""
        condition = " and ".join(f"{column} is not distinct from ?" for column in where) or "true"
        with self._transaction():
            self.connection.execute(f"delete from ops.{table} where {condition}", list(where.values()))
            failpoint("replace.deleted")
            self.insert(table, rows)

    def query(self, sql: str, parameters: Sequence = ()) -> pl.DataFrame:
        """Return the result of a query."""
        return self.connection.sql(sql, params=list(parameters)).pl()

    def execute(self, sql: str, parameters: Sequence = ()) -> None:
        """Run a statement."""
        self.connection.execute(sql, list(parameters)).fetchall()

    def _open(self) -> None:
        self._connection = connect(self.path, self.memory_limit)
        self._make_tables()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _make_tables(self) -> None:
        for name, columns in tables().items():
            schema = name.split(".")[0]
            self.connection.execute(f"create schema if not exists {schema}")
            declared = ", ".join(f'"{column}" {_sql_type(column, dtype)}' for column, dtype in columns.items())
            self.connection.execute(f"create table if not exists {name} ({declared})")
        columns_sql = "select table_schema || '.' || table_name, column_name from information_schema.columns"
        known = set(self.connection.execute(columns_sql).fetchall())
        for name, columns in tables().items():
            for column, dtype in columns.items():
                if (name, column) not in known:  # a column that came with a newer version of this program
                    self.connection.execute(f'alter table {name} add column "{column}" {_sql_type(column, dtype)}')

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        failpoint("transaction.before_commit")
        self.connection.execute("commit")
        failpoint("transaction.after_commit")

    @contextmanager
    def _given(self, **frames: pl.DataFrame) -> Generator[None]:
        for name, frame in frames.items():
            self.connection.register(name, frame.to_arrow())
        try:
            yield
        finally:
            for name in frames:
                self.connection.unregister(name)

    def _append(self, table: str, rows: pl.DataFrame) -> None:
        if rows.height:
            with self._given(given_rows=rows):
                self.connection.execute(f"insert into {table} by name select * from given_rows")

    def _replace_keys(self, table: str, rows: pl.DataFrame, keys: Sequence[str]) -> None:
        same = " and ".join(f"t.{key} is not distinct from g.{key}" for key in keys)
        with self._given(given_keys=rows.select(keys)):
            self.connection.execute(f"delete from {table} t using given_keys g where {same}")
        self._append(table, rows)

    def _note_bytes(self, table: str, rows: pl.DataFrame) -> None:
        with self._given(given_hashes=rows):
            self.connection.execute(
                f"""update raw.{table}_latest l set raw_hash = g.raw_hash from given_hashes g
                where l.organisation_id = g.organisation_id and l.id = g.id"""
            )

    def _bury(self, table: str, stone: Tombstone) -> None:
        key, moment = [stone.organisation_id, stone.id], [stone.run_id, stone.observed_at]
        self.connection.execute(
            f"""insert into raw.{table} by name
            select v.* replace (v.version_number + 1 as version_number, 'delete' as cause, true as is_deleted,
                ? as run_id, ? as observed_at)
            from raw.{table} v join raw.{table}_latest l using (organisation_id, id, version_number)
            where organisation_id = ? and id = ? and not l.is_deleted""",
            [*moment, *key],
        )
        self.connection.execute(
            f"""update raw.{table}_latest set version_number = version_number + 1, is_deleted = true
            where organisation_id = ? and id = ? and not is_deleted""",
            key,
        )

    def _release(self, batch: Commit) -> None:
        """Note that records of the quarantine have come again and kept the contract."""
        if batch.accepted is None or not batch.accepted.height:
            return
        with self._given(given_accepted=batch.accepted):
            self.connection.execute(
                """update ops.quarantine q set status = 'replayed' from given_accepted g
                where q.record_id = g.record_id and q.organisation_id = ? and q.endpoint = ? and q.status = 'open'""",
                [batch.organisation_id, batch.table],
            )

    def _count(self, table: str, rows: pl.DataFrame | None, keys: Sequence[str], more: str = "") -> None:
        """Insert what is seen for the first time; of the rest note when it was last seen, and how often."""
        if rows is None or not rows.height:
            return
        same = " and ".join(f"{key.format('t')} is not distinct from {key.format('g')}" for key in keys)
        with self._given(given_seen=rows):
            self.connection.execute(
                f"""update ops.{table} t set last_seen_at = g.last_seen_at, times_seen = t.times_seen + g.times_seen
                {", " if more else ""}{more} from given_seen g where {same}"""
            )
            self.connection.execute(
                f"insert into ops.{table} by name select * from given_seen g where not exists (select 1 from ops.{table} t where {same})"
            )

    def _save_states(self, states: Sequence[State]) -> None:
        if states:
            self._save("state", [asdict(state) for state in states], ("organisation_id", "endpoint", "slice"))

    def _save(self, table: str, rows: list[dict], keys: Sequence[str]) -> None:
        self._replace_keys(f"ops.{table}", _ops_frame(table, rows), keys)


def tables() -> dict[str, dict[str, pl.DataType]]:
    """Return every table of raw and ops with its columns."""
    found: dict[str, dict[str, pl.DataType]] = {}
    for table in RECORDS:
        declared = contract(table)
        found[f"raw.{table}"] = declared.schema
        found[f"raw.{table}_latest"] = LATEST
        found |= {f"raw.{child.name}": child.schema for child in declared.children}
    return found | {f"ops.{name}": columns for name, columns in OPS.items()}


def _sql_type(column: str, dtype: pl.DataType) -> str:
    # payloads are most of the bytes: zstd holds them in about a seventh
    return _SQL_TYPES[type(dtype)] + (" using compression zstd" if column == "payload" else "")


def _ops_frame(table: str, rows: Iterable[dict]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=OPS[table], orient="row")


def _locked(path: Path) -> IO[str]:
    """Return the lock file, locked; the number of the process that holds it is written in it."""
    path.touch()
    found = path.open("r+", encoding="utf-8")
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = found.read().strip() or "unknown"
        found.close()
        raise WarehouseBusy(
            f"{path.with_suffix('.duckdb')} is being written by process {holder}: wait until it has finished, or stop it, and start again"
        ) from None
    found.truncate(0)
    found.write(str(os.getpid()))
    found.flush()
    return found

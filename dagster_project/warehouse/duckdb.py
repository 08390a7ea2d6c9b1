"""DuckDB behind the verbs of `base.py`: one file, one writer, every batch one transaction."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Self

import duckdb
import polars as pl

from dagster_project.failpoint import failpoint
from dagster_project.warehouse import copying, disk
from dagster_project.warehouse.arrow import ArrowStream
from dagster_project.warehouse.base import BatchSize, Commit, Latest, LeaseLost, State, Tombstone
from dagster_project.warehouse.damage import damaged, is_damage, leave_behind, locked_out
from dagster_project.warehouse.layout import SQL_TYPES, make_tables
from dagster_project.warehouse.lease import Lease, Say, wall_clock
from dagster_project.warehouse.tables import DAMAGED, LATEST, LEASE, OPS, SEAL

QUARANTINE_KEY = ("{}.organisation_id", "{}.endpoint", "coalesce({0}.record_id, {0}.raw_hash)", "{}.reason_code")
# an entry that was given up stays so for as long as the record is the same
_SEEN_AGAIN = """status = case when t.status = 'discarded' and t.raw_hash = g.raw_hash then t.status else 'open' end,
    raw_json = g.raw_json, raw_hash = g.raw_hash, field = g.field, value = g.value, detail = g.detail, run_id = g.run_id"""
DRIFT_KEY = ("{}.organisation_id", "{}.endpoint", "{}.kind", "{}.field", "{}.value")


FRUGAL = "256MB"  # while reading; a batch of 5,000 rows needs less


def connect(path: Path | None, memory_limit: str, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection with the settings of all of ours: UTC, no progress bar, a memory limit, temporary files beside the file."""
    found = duckdb.connect(str(path or ":memory:"), read_only=read_only)
    found.execute("set timezone = 'UTC'")
    found.execute("set enable_progress_bar = false")  # it would be drawn into logs, from two seconds on
    found.execute(f"set memory_limit = '{memory_limit}'")
    if path and not read_only:
        found.execute(f"set temp_directory = '{path.parent / 'tmp'}'")
    return found


class DuckDBWarehouse:
    """The warehouse in one DuckDB file; entering takes the writer's lock and makes missing tables and columns.

    Without a path it lives in memory and is gone when left: for trying things out, there is nobody to lock out.

    Args:
        path: the file.
        memory_limit: of the connection, as DuckDB writes it; above it, work spills to the disk.
        wait_seconds: how long to wait for another writer.
        say: told, once a minute, whom it waits for.
        lease: the right to write; by default one of this process on this machine.
    """

    batch = BatchSize(rows=5_000, size=16 * 2**20, seconds=30.0)

    def __init__(self, path: Path | None, memory_limit: str = "2GB", wait_seconds: float = 0, say: Say = print, lease: Lease | None = None):
        self.path, self.memory_limit, self.wait_seconds, self.say = path, memory_limit, wait_seconds, say
        self.lease = lease or (Lease(path) if path else None)
        self._connection: duckdb.DuckDBPyConnection | None = None

    @classmethod
    def in_memory(cls) -> Self:
        """Return a warehouse without a file, to use with `with`: the same code, nothing on the disk."""
        return cls(None)

    def __enter__(self) -> Self:
        with disk.explained(self.path and self.path.parent):
            if self.lease:
                self.lease.take(self.wait_seconds, self.say)
            try:
                if self.path and self.lease and self.lease.is_taken_over:
                    leave_behind(self.path)
                self._open()
                self._note_lease()
            except BaseException:
                self._leave()
                raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._leave()
        error = exc[1] if exc else None
        if isinstance(error, duckdb.Error) and self.path and is_damage(error):
            raise damaged(self.path, error) from error
        if isinstance(error, Exception) and self.path and (said := disk.trouble(error, self.path.parent)):
            raise said from error

    def _leave(self) -> None:
        try:
            self._close()
        finally:
            if self.lease:
                self.lease.release()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the open connection (publish and backup copy whole tables with it)."""
        if self._connection is None:
            raise RuntimeError("the warehouse is not open: use it with `with`")
        return self._connection

    @contextmanager
    def frugal(self) -> Generator[None]:
        """Keep to a part of the memory while the block runs: DuckDB would fill all of it with blocks that it has written."""
        is_more = f"select parse_formatted_bytes(current_setting('memory_limit')) > parse_formatted_bytes('{FRUGAL}')"
        if self.path and self.connection.execute(is_more).fetchall()[0][0]:
            self.connection.execute(f"set memory_limit = '{FRUGAL}'")
        try:
            yield
        finally:
            if self._connection is not None:
                self._connection.execute(f"set memory_limit = '{self.memory_limit}'")

    @contextmanager
    def released(self) -> Generator[None]:
        """Let another client of this process (dbt) open the file, the lock still held."""
        if self.path is None:
            raise RuntimeError("a warehouse in memory has no file that another client could open")
        self._close()
        try:
            yield
        finally:
            self.check_lease()
            self._open()

    def latest(self, table: str, organisation_id: int, ids: Sequence[int]) -> dict[int, Latest]:
        """Return the newest version of those of `ids` that are known, deleted ones included."""
        wanted = pl.DataFrame({"id": ids}, schema={"id": pl.Int64()})
        columns = ", ".join(f"l.{name}" for name in LATEST if name not in ("organisation_id", "id"))
        with self.given(wanted=wanted):
            found = self.query(
                f"select l.id, {columns} from raw.{table}_latest l semi join wanted using (id) where l.organisation_id = ?",
                [organisation_id],
            )
        # by columns: row by row, each instant would pass through pytz
        return {record_id: Latest(*row) for record_id, *row in zip(*(column.to_list() for column in found.get_columns()), strict=True)}

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
        with self.given(wanted=wanted):
            rows = self.connection.execute(
                f"""select distinct v.{column} from raw.{table} v join raw.{table}_latest l using (organisation_id, id, version_number)
                semi join wanted using (id) where organisation_id = ? and v.{column} is not null order by 1""",
                [organisation_id],
            ).fetchall()
        return [row[0] for row in rows]

    def damaged(self, table: str, organisation_id: int) -> dict[int, datetime | None]:
        """Return the live records whose newest payload was found damaged, each with the instant it was created at."""
        query = f"select id, created_at from raw.{table}_latest where organisation_id = ? and shape_version = ? and not is_deleted"
        return dict(self.query(query, [organisation_id, DAMAGED]).rows())

    def commit(self, batch: Commit) -> None:
        """Store one batch in one transaction."""
        with self.transaction():
            if batch.versions is not None and batch.latest is not None and batch.versions.height:
                self.append(f"raw.{batch.table}", batch.versions)
                failpoint("commit.versions")
                for name, rows in batch.children.items():
                    self.append(f"raw.{name}", rows)
                failpoint("commit.children")
                self._replace_keys(f"raw.{batch.table}_latest", batch.latest, ("organisation_id", "id"))
                failpoint("commit.latest")
            if batch.seen_again is not None and batch.seen_again.height:
                self._note_bytes(batch.table, batch.seen_again)
            for stone in batch.tombstones:
                self._bury(batch.table, stone)
                failpoint("commit.tombstone")
            self._release(batch)
            self._count("quarantine", batch.quarantine, QUARANTINE_KEY, _SEEN_AGAIN)
            self._count("drift", batch.drift, DRIFT_KEY)
            self._save_states(batch.states)
            if batch.seen is not None:
                self.append("ops.seen", batch.seen)
            failpoint("commit.states")
            if batch.endpoint_run:
                self._save("endpoint_runs", [batch.endpoint_run], ("run_id", "organisation_id", "endpoint", "kind"))

    def states(self, organisation_id: int, endpoint: str) -> dict[str, State]:
        """Return the endpoint's states by slice; none when one of them was changed by anything but a sync: it is read anew."""
        fields = ", ".join(State.__dataclass_fields__)
        found = f"select {fields}, seal is distinct from {SEAL} as is_foreign from ops.state where organisation_id = ? and endpoint = ?"
        # what somebody wrote there may be no instant that Python can hold
        sound = ", ".join(f"case when not is_foreign then {name} end as {name}" for name in ("watermark", "slice_from", "slice_to"))
        query = f"select * replace ({sound}), cast(watermark as varchar) as said from ({found}) order by slice"
        rows = self.query(query, [organisation_id, endpoint]).to_dicts()
        if foreign := [row for row in rows if row["is_foreign"]]:
            said = "; ".join(f'slice "{row["slice"]}", watermark {row["said"] or "none"}' for row in foreign)
            self._refuse_states(organisation_id, endpoint, said)
            return {}
        return {row["slice"]: State(**{name: row[name] for name in State.__dataclass_fields__}) for row in rows}

    def _refuse_states(self, organisation_id: int, endpoint: str, found: str) -> None:
        detail = f"ops.state was changed by something else than a sync ({found}): it was dropped, and everything is read again"
        about = {"audited_at": wall_clock(), "organisation_id": organisation_id, "endpoint": endpoint}
        with self.transaction():
            self.connection.execute("delete from ops.state where organisation_id = ? and endpoint = ?", [organisation_id, endpoint])
            self.append("ops.audit", _ops_frame("audit", [about | {"action": "state_refused", "detail": detail}]))

    def forget_slices(self, organisation_id: int, endpoint: str, main: State) -> None:
        """End a first load: replace its slices by the main state."""
        self.replace("state", [asdict(main)], {"organisation_id": organisation_id, "endpoint": endpoint})

    def insert(self, table: str, rows: Iterable[dict]) -> None:
        """Append rows to a table of ops."""
        with self.transaction():
            self.append(f"ops.{table}", _ops_frame(table, rows))

    def replace(self, table: str, rows: Iterable[dict], where: dict) -> None:
        """Replace the rows of a table of ops that match `where` by `rows`, in one transaction."""
        condition = " and ".join(f"{column} is not distinct from ?" for column in where) or "true"
        with self.transaction():
            self.connection.execute(f"delete from ops.{table} where {condition}", list(where.values()))
            failpoint("replace.deleted")
            self.append(f"ops.{table}", _ops_frame(table, rows))

    def discard(self, entries: Sequence[Mapping], audit: Sequence[dict]) -> None:
        """Give up entries of ops.quarantine (rows of it), and append to ops.audit why."""
        columns = ["organisation_id", "endpoint", "record_id", "raw_hash", "reason_code"]
        given = pl.DataFrame([{name: row[name] for name in columns} for row in entries], schema_overrides={"record_id": pl.Int64()})
        same = " and ".join(f"{key.format('t')} is not distinct from {key.format('g')}" for key in QUARANTINE_KEY)
        with self.transaction(), self.given(given_entries=given):
            self.connection.execute(f"update ops.quarantine t set status = 'discarded' from given_entries g where {same}")
            self.append("ops.audit", _ops_frame("audit", audit))

    def query(self, sql: str, parameters: Sequence = ()) -> pl.DataFrame:
        """Return the result of a query."""
        return pl.DataFrame(ArrowStream(self.connection.sql(sql, params=list(parameters))))

    def execute(self, sql: str, parameters: Sequence = ()) -> None:
        """Run a statement."""
        self.connection.execute(sql, list(parameters)).fetchall()

    def row_counts(self, *schemas: str) -> dict[tuple[str, str], int]:
        """Return how many rows each table (no view) of the schemas has, by (schema, table)."""
        return copying.row_counts(self.connection, *schemas)

    def check_lease(self) -> None:
        """Raise unless this process is still the one that may write.

        Raises:
            LeaseLost: another one has taken over.
        """
        if self.lease:
            self.lease.check()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Store what the block writes, all of it or nothing; nothing if another writer has taken over meanwhile.

        Raises:
            LeaseLost: another writer has taken over.
        """
        self.connection.execute("begin")
        try:
            yield
            failpoint("transaction.before_commit")
            self._renew_lease()
            self.check_lease()
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")
        failpoint("transaction.after_commit")

    def _open(self) -> None:
        try:
            self._connection = connect(self.path, self.memory_limit)
            self._connection.execute("begin")
            make_tables(self.connection)
            self._connection.execute("commit")
        except duckdb.Error as error:
            if self.path is None:
                raise
            raise (locked_out if "Could not set lock" in str(error) else damaged)(self.path, error) from error

    def _close(self) -> None:
        if self._connection is not None:
            if self.lease and self.lease.is_lost():  # a checkpoint would write into what is another's by now
                self._connection.execute("pragma disable_checkpoint_on_shutdown")
            self._connection.close()
            self._connection = None

    def _note_lease(self) -> None:
        """Write into the file who writes it; say so when the writer before this one left less in it than it had."""
        fence, before = self._fence, self.lease.before if self.lease else None
        known = self.query("select max(fence) as fence from ops.lease")["fence"].item()
        with self.transaction():
            self.connection.execute("delete from ops.lease")
            self.append("ops.lease", pl.DataFrame([{"fence": fence, **self._times()}], schema=LEASE))
            if before and known is not None and known < before.fence:
                what = f"the file was last written under lease {known}, though lease {before.fence} was given to {before}"
                lost = "what was stored since is gone (a write-ahead log was lost, or an older copy put in its place); it is read again"
                row = {"audited_at": self._times()["taken_at"], "action": "older_file", "detail": f"{what}: {lost}"}
                self.append("ops.audit", _ops_frame("audit", [row]))

    @property
    def _fence(self) -> int:
        return self.lease.fence if self.lease else 1

    def _times(self) -> dict:
        if self.lease is None:
            return {}
        me = self.lease.me
        return {"holder": str(me), "taken_at": me.since, "renewed_at": me.renewed_at, "expires_at": me.expires_at}

    def _renew_lease(self) -> None:
        given = [self._times().get("renewed_at"), self._times().get("expires_at"), self._fence]
        found = self.connection.execute("update ops.lease set renewed_at = ?, expires_at = ? where fence = ?", given).fetchall()
        if found != [(1,)]:
            raise LeaseLost(f"{self.path} is not the file that this process opened: its last batch was not stored; run again")

    @contextmanager
    def given(self, **frames: pl.DataFrame) -> Generator[None]:
        """Let statements read frames by their names while the block runs."""
        for name, frame in frames.items():
            self.connection.register(name, ArrowStream(frame))
        try:
            yield
        finally:
            for name in frames:
                self.connection.unregister(name)

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """Append rows to a table (`raw.assets`), inside a transaction."""
        if rows.height:
            with self.given(given_rows=rows):
                self.connection.execute(f"insert into {table} by name select {_columns(table)} from given_rows")

    def _replace_keys(self, table: str, rows: pl.DataFrame, keys: Sequence[str]) -> None:
        same = " and ".join(f"t.{key} is not distinct from g.{key}" for key in keys)
        with self.given(given_keys=rows.select(keys)):
            self.connection.execute(f"delete from {table} t using given_keys g where {same}")
        self.append(table, rows)

    def _note_bytes(self, table: str, rows: pl.DataFrame) -> None:
        with self.given(given_hashes=rows):
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
        if batch.accepted is None or not batch.accepted.height or not self._has_quarantine(batch):
            return
        with self.given(given_accepted=batch.accepted):
            self.connection.execute(
                """update ops.quarantine q set status = 'replayed' from given_accepted g
                where q.record_id = g.record_id and q.organisation_id = ? and q.endpoint = ? and q.status = 'open'""",
                [batch.organisation_id, batch.table],
            )

    def _has_quarantine(self, batch: Commit) -> bool:
        query = "select 1 from ops.quarantine where organisation_id = ? and endpoint = ? and status = 'open' limit 1"
        return bool(self.connection.execute(query, [batch.organisation_id, batch.table]).fetchall())

    def _count(self, table: str, rows: pl.DataFrame | None, keys: Sequence[str], more: str = "") -> None:
        """Insert what is seen for the first time; of the rest note when it was last seen, and how often."""
        if rows is None or not rows.height:
            return
        same = " and ".join(f"{key.format('t')} is not distinct from {key.format('g')}" for key in keys)
        with self.given(given_seen=rows):
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
        """Put a few rows in the place of those with their keys; a frame would cost five times as much."""
        same = " and ".join(f"{key} is not distinct from ?" for key in keys)
        given = ", ".join(f'cast(? as {SQL_TYPES[type(dtype)]}) as "{column}"' for column, dtype in OPS[table].items())
        for row in rows:
            self.connection.execute(f"delete from ops.{table} where {same}", [row[key] for key in keys])
            values = [row.get(column) for column in OPS[table]]
            self.connection.execute(f"insert into ops.{table} by name select {_columns(f'ops.{table}')} from (select {given})", values)


def _columns(table: str) -> str:
    """Return what is inserted of given rows: all of them, and the seal of a state."""
    return f"* replace ({SEAL} as seal)" if table == "ops.state" else "*"


def _ops_frame(table: str, rows: Iterable[dict]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=OPS[table], orient="row")

"""What a console shows of a published version: the figures of the last closed month, and what the last run read."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

_LAST_CLOSED_MONTH = """
    select d.label, k.unit, s.site_name, k.value, k.n, k.reason, k.period_start_on
    from marts.kpis k
    join marts.kpi_definitions d using (kpi)
    join marts.dim_sites s on s.organisation_id = k.organisation_id and s.site_id = k.site_id
    where k.scope_type = 'site' and k.period_grain = 'month' and k.window_state <> 'open' and not s.is_unassigned
    qualify k.period_start_on = max(k.period_start_on) over ()
    order by k.kpi, s.organisation_name, s.site_name
"""
_LAST_RUN = """
    with last as (
        select run_id from ops.runs where kind in ('refresh', 'reconcile') order by wall_started_at desc limit 1
    ), read as (
        select sum(requests) as requests, sum(fetched) as fetched, sum(inserted + updated + deleted) as versions,
            sum(quarantined) as quarantined
        from ops.endpoint_runs semi join last using (run_id)
        where kind = 'sync'
    ), swept as (
        select sum(requests) as requests, sum(fetched) as fetched, sum(inserted + updated + deleted) as versions
        from ops.endpoint_runs semi join last using (run_id)
        where kind = 'labour'
    ), compared as (
        select sum(requests) as requests, sum(source_rows) as records, sum(missing + ghost + stale) as differences
        from ops.reconciliation semi join last using (run_id)
        where scope <> 'first_load'
    )
    select read.requests, read.fetched, read.versions, read.quarantined, compared.requests, compared.records, compared.differences,
        swept.requests, swept.fetched, swept.versions
    from read cross join compared cross join swept
"""

_DATA_TO = "select strftime(max(finished_at), '%Y-%m-%d %H:%M UTC') from ops.runs where status = 'finished' and kind <> 'replay'"
_TROUBLES = """
    with last_runs as (
        select organisation_id, status, error from ops.runs where kind in ('refresh', 'reconcile')
        qualify row_number() over (partition by organisation_id order by wall_started_at desc, run_id desc) = 1
    ), readings as (
        select organisation_id, endpoint, kind, status, reason from ops.endpoint_runs
        qualify row_number() over (partition by organisation_id, endpoint, kind order by read_at desc, run_id desc) = 1
    ), comparisons as (
        select organisation_id, endpoint, status, reason from ops.reconciliation
        qualify row_number() over (partition by organisation_id, endpoint order by reconciled_at desc, run_id desc) = 1
    )
    select organisation_id, 'its last run failed' as what, error as why from last_runs where status = 'failed'
    union all
    select organisation_id, endpoint || ' could not be read (' || kind || ')', reason from readings
    where status in ('failed', 'stale') and kind <> 'reconcile'
    union all
    select organisation_id, endpoint || ' differs from the source', reason from comparisons where status = 'differs'
    union all
    select organisation_id, endpoint || ' could not be compared', reason from comparisons where status = 'failed'
    order by all
"""


class UnreadableVersion(Exception):
    """The published file cannot be opened, or lacks what a version has: names it, and what DuckDB said."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What one run did: requests, records that came, versions appended, records set aside; what it reconciled and swept for labour."""

    requests: int
    fetched: int
    versions: int
    quarantined: int
    reconciling_requests: int
    reconciled: int
    differences: int
    sweeping_requests: int = 0
    swept: int = 0
    swept_versions: int = 0


def last_closed_month(published: Path) -> list[dict]:
    """Return the KPIs of every site in the last month that is over: one row per KPI and site, ordered by both.

    Columns: label, unit, site_name, value, n, reason (exactly one of value and reason is None), period_start_on.
    """
    with _opened(published) as connection:
        relation = connection.sql(_LAST_CLOSED_MONTH)
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def last_run(published: Path) -> Effort:
    """Return what the last run read and compared, over all its organisations and endpoints."""
    with _opened(published) as connection:
        return Effort(*(int(value or 0) for value in connection.sql(_LAST_RUN).fetchall()[0]))


def open_quarantine(published: Path) -> int:
    """Return how many records are set aside, neither replayed nor given up."""
    with _opened(published) as connection:
        return connection.sql("select count(*) from ops.quarantine where status = 'open'").fetchall()[0][0]


def data_to(published: Path) -> str | None:
    """Return up to when the source was read, by its clock: the end of the last run that finished."""
    with _opened(published) as connection:
        return connection.sql(_DATA_TO).fetchall()[0][0]


def troubles(published: Path) -> list[tuple[int, str, str]]:
    """Return what needs a hand: organisation, what went wrong the last time, and why."""
    with _opened(published) as connection:
        return [(one, what, why or "no reason given") for one, what, why in connection.sql(_TROUBLES).fetchall()]


@contextmanager
def _opened(published: Path) -> Generator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(published), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise UnreadableVersion(f"{published} cannot be read: {error}. Run `make refresh`, which publishes anew") from None

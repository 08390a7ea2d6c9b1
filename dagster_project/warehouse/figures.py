"""What a console shows of a published version: the figures of the last closed month, and what the last run read."""

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
    with duckdb.connect(str(published), read_only=True) as connection:
        relation = connection.sql(_LAST_CLOSED_MONTH)
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def last_run(published: Path) -> Effort:
    """Return what the last run read and compared, over all its organisations and endpoints."""
    with duckdb.connect(str(published), read_only=True) as connection:
        return Effort(*(int(value or 0) for value in connection.sql(_LAST_RUN).fetchall()[0]))


def open_quarantine(published: Path) -> int:
    """Return how many records are set aside, neither replayed nor given up."""
    with duckdb.connect(str(published), read_only=True) as connection:
        return connection.sql("select count(*) from ops.quarantine where status = 'open'").fetchall()[0][0]

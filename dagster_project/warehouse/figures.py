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
    select sum(requests), sum(fetched), sum(inserted + updated + deleted), sum(quarantined)
    from ops.endpoint_runs
    where kind = 'sync' and run_id = (select run_id from ops.runs where kind = 'refresh' order by wall_started_at desc limit 1)
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """What one run read: requests made, records that came, versions appended, records set aside."""

    requests: int
    fetched: int
    versions: int
    quarantined: int


def last_closed_month(published: Path) -> list[dict]:
    """Return the KPIs of every site in the last month that is over: one row per KPI and site, ordered by both.

    Columns: label, unit, site_name, value, n, reason (exactly one of value and reason is None), period_start_on.
    """
    with duckdb.connect(str(published), read_only=True) as connection:
        relation = connection.sql(_LAST_CLOSED_MONTH)
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def last_run(published: Path) -> Effort:
    """Return what the last refresh read, over all its organisations and endpoints."""
    with duckdb.connect(str(published), read_only=True) as connection:
        return Effort(*(int(value or 0) for value in connection.sql(_LAST_RUN).fetchall()[0]))

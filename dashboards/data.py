"""Every query: the published version is opened read-only, and its path, which names the version, is part of each cache's key."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import streamlit as st

from dagster_project import publish, settings

KEPT_ANSWERS = 500  # of all queries; an answer is some kB
KEPT_KPIS = 12  # organisations times grains; some MB each
GAPS = (  # what is missing, of which orders
    ("a known asset", "asset_id is null or is_orphan_asset", "true"),
    ("a type", "type is null", "true"),
    ("a due date, of preventive orders", "due_at is null", "type = 'PREVENTIVE'"),
    ("an estimate, of open orders", "estimated_seconds is null", "is_active"),
    ("logged time, of completed repairs", "labour_seconds = 0", "is_completed and type = 'REACTIVE'"),
    ("a completion after the creation", "has_negative_lead", "is_completed"),
)
Value = str | int | float | date | datetime | list[str] | None


class Unreadable(Exception):
    """The published file cannot be opened or lacks a table: names the file and what DuckDB said."""


def published() -> str | None:
    """Return the DuckDB file of the version to read, None before the first publication."""
    path = publish.current(settings.load().published_dir)
    return str(path) if path else None


def notice() -> str | None:
    """Return why there is no newer version; None when all is well."""
    return publish.told(settings.load().published_dir)


def version_name(version: str) -> str:
    """Return the name of the version that a file belongs to."""
    return Path(version).parent.name


@st.cache_data(max_entries=KEPT_ANSWERS, show_spinner=False)
def _rows(version: str, query: str, parameters: Sequence[Value] = ()) -> pl.DataFrame:
    try:
        with duckdb.connect(version, read_only=True, config={"enable_external_access": "false"}) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.sql(query, params=list(parameters)).pl()
    except duckdb.Error as error:
        raise Unreadable(f"{version}: {error}") from error


def organisations(version: str) -> pl.DataFrame:
    """One row per organisation: organisation_id, organisation_name, time_zone."""
    query = """
        select
            organisation_id,
            coalesce(max(organisation_name), 'Organisation ' || organisation_id) as organisation_name,
            coalesce(max(organisation_time_zone), 'UTC') as time_zone
        from ops.sites group by organisation_id order by organisation_name, organisation_id
    """
    return _rows(version, query)


def sites(version: str, organisation_id: int) -> pl.DataFrame:
    """One row per site of the organisation: site_id, site_name, time_zone, crew_hours_per_week, is_unassigned.

    The site of records that belong to no other is listed only when it has any.
    """
    query = """
        select
            site_id, coalesce(site_name, site_id) as site_name, coalesce(time_zone, 'UTC') as time_zone, crew_hours_per_week, is_unassigned
        from ops.sites
        where organisation_id = ?
            and (not is_unassigned or site_id in (select site_id from marts.fct_work_orders))
        order by is_unassigned, site_name, site_id
    """
    return _rows(version, query, [organisation_id])


def definitions(version: str) -> pl.DataFrame:
    """One row per KPI: kpi, label, unit, better, formula, description, standard_reference."""
    return _rows(version, "select * from marts.kpi_definitions order by kpi")


def periods(version: str, organisation_id: int, grain: str) -> pl.DataFrame:
    """One row per period that has KPIs, the newest first: period_start_on, period_end_on, is_open."""
    query = """
        select period_start_on, max(period_end_on) as period_end_on, bool_or(window_state = 'open') as is_open
        from marts.kpis
        where organisation_id = ? and period_grain = ? and scope_type = 'organisation'
        group by period_start_on order by period_start_on desc
    """
    return _rows(version, query, [organisation_id, grain])


@st.cache_resource(max_entries=KEPT_KPIS, show_spinner=False)
def kpis(version: str, organisation_id: int, grain: str) -> dict[tuple[str, str], pl.DataFrame]:
    """Return the rows of each KPI and scope of the organisation, in order of time, with the label and direction of the KPI's definition.

    Kept as it is and not copied for each reader: hundreds of figures of a page are looked up in it.
    """
    query = """
        select k.*, coalesce(d.label, k.kpi) as label, coalesce(d.better, 'neutral') as better
        from marts.kpis k left join marts.kpi_definitions d on d.kpi = k.kpi
        where k.organisation_id = ? and k.period_grain = ? and k.scope_type in ('organisation', 'site')
        order by k.kpi, k.scope_type, k.scope_id, k.period_start_on
    """
    rows = _rows(version, query, [organisation_id, grain])
    return {(str(kpi), str(scope)): frame for (kpi, scope), frame in rows.partition_by("kpi", "scope_id", as_dict=True).items()}


def freshness(version: str) -> pl.DataFrame:
    """One row per organisation: data_to and as_of of its KPIs, when its last good run ended by the wall clock, the state of its last."""
    query = """
        with marts as (select organisation_id, max(data_to) as data_to, max(as_of) as as_of from marts.kpis group by organisation_id),
        runs as (
            select
                organisation_id,
                max(case when status = 'finished' then finished_at end) as read_to,
                max(case when status = 'finished' then wall_finished_at end) as read_at,
                max_by(status, wall_started_at) as last_status
            from ops.runs where kind = 'refresh' group by organisation_id
        )
        select organisation_id, coalesce(data_to, read_to) as data_to, as_of, read_at, last_status
        from marts full join runs using (organisation_id) order by organisation_id
    """
    return _rows(version, query)


def repairs(version: str, site_ids: list[str], start: date, end: date) -> pl.DataFrame:
    """One row per REACTIVE order completed in the period: its number, title, site, asset, and hours of lead, repair and labour."""
    query = """
        select
            f.sequential_id as number, f.title, f.site_id as site, a.asset_name, f.completed_on,
            case when not f.has_negative_lead then f.lead_hours end as lead_hours,
            f.repair_seconds / 3600.0 as repair_hours, f.repair_basis, nullif(f.labour_seconds, 0) / 3600.0 as labour_hours, f.work_order_id
        from marts.fct_work_orders f
        left join marts.dim_assets a on a.organisation_id = f.organisation_id and a.asset_id = f.asset_id
        where f.type = 'REACTIVE' and f.is_completed and f.site_id in (select unnest(?)) and f.completed_on between ? and ?
        order by lead_hours desc nulls last, f.work_order_id
    """
    return _rows(version, query, [site_ids, start, end])


def pm_cohorts(version: str, site_ids: list[str], grain: str) -> pl.DataFrame:
    """One row per due period and outcome (cancelled ones are left out): period_start_on, outcome, orders."""
    query = """
        select
            case when ? = 'week' then d.week_start_on else d.month_start_on end as period_start_on,
            case when p.outcome = 'skipped' then 'missed' else p.outcome end as outcome,
            count(*) as orders
        from marts.fct_pm_occurrences p join marts.dim_dates d on d.date_on = p.original_due_on
        where p.site_id in (select unnest(?)) and p.outcome <> 'canceled'
        group by all order by period_start_on, outcome
    """
    return _rows(version, query, [grain, site_ids])


def pm_misses(version: str, site_ids: list[str], start: date, end: date) -> pl.DataFrame:
    """One row per PM due in the period that was late, missed or skipped: number, title, site, due date, outcome, days late."""
    query = """
        select
            w.number, coalesce(p.title, w.title) as title, w.site_name, p.original_due_on, p.outcome,
            cast(ceil(p.days_late) as bigint) as days_late,
            w.asset_path, w.assignee_names, w.maintainx_url, p.work_order_id
        from marts.fct_pm_occurrences p
        left join marts.work_orders w on w.work_order_id = p.work_order_id and w.site_id = p.site_id
        where p.site_id in (select unnest(?)) and p.original_due_on between ? and ? and p.outcome in ('late', 'missed', 'skipped')
        order by p.days_late desc nulls last, p.work_order_id
    """
    return _rows(version, query, [site_ids, start, end])


def attention(version: str, site_ids: list[str]) -> pl.DataFrame:
    """One row per active order that is overdue or on hold: the most urgent, then the longest overdue first."""
    query = """
        select
            number, title, site_name, priority, status, cast(floor(days_overdue) as bigint) as days_overdue,
            is_overdue, due_on, asset_path, assignee_names, created_on, type,
            maintainx_url, work_order_id
        from marts.work_orders
        where site_id in (select unnest(?)) and status in ('OPEN', 'IN_PROGRESS', 'ON_HOLD') and (is_overdue or status = 'ON_HOLD')
        order by
            is_overdue desc,
            case priority when 'HIGH' then 1 when 'MEDIUM' then 2 when 'LOW' then 3 else 4 end,
            days_overdue desc nulls last, work_order_id
    """
    return _rows(version, query, [site_ids])


def ageing(version: str, site_ids: list[str], as_of: datetime) -> pl.DataFrame:
    """One row per age and priority of the released backlog: age_days (lower end of the bucket), priority, orders."""
    query = """
        with ages as (
            select coalesce(priority, 'NONE') as priority, epoch(?::timestamptz - created_at) / 86400 as days
            from marts.fct_work_orders
            where is_active and site_id in (select unnest(?)) and (start_at is null or start_at <= ?::timestamptz)
        )
        select
            case when days <= 7 then 0 when days <= 30 then 8 when days <= 90 then 31 else 91 end as age_days,
            priority, count(*) as orders
        from ages group by all order by age_days, priority
    """
    return _rows(version, query, [as_of, site_ids, as_of])


def down_now(version: str, site_ids: list[str], as_of: datetime) -> pl.DataFrame:
    """One row per asset that is down: asset_name, site_id, downtime_type, hours so far; the longest first."""
    query = """
        select coalesce(a.asset_name, 'Asset ' || f.asset_id) as asset_name, f.site_id, f.downtime_type, f.started_at,
            epoch(?::timestamptz - f.started_at) / 3600 as hours
        from marts.fct_downtime f
        left join marts.dim_assets a on a.organisation_id = f.organisation_id and a.asset_id = f.asset_id
        where f.is_ongoing and f.site_id in (select unnest(?)) and a.is_known -- the status of a deleted asset may stay open for ever
        order by f.downtime_type = 'planned', f.started_at, f.asset_id
    """
    return _rows(version, query, [as_of, site_ids])


def standstills(version: str, site_ids: list[str], start: date, end: date, as_of: datetime) -> pl.DataFrame:
    """One row per downtime interval that ended in the period, or goes on: asset, site, type, begin, end, hours; the longest first."""
    query = """
        select a.asset_name, f.site_id as site, f.downtime_type, f.started_at, f.ended_at,
            epoch(coalesce(f.ended_at, ?::timestamptz) - f.started_at) / 3600 as hours, a.asset_path
        from marts.fct_downtime f
        left join marts.dim_sites s on s.site_id = f.site_id
        left join marts.dim_assets a on a.organisation_id = f.organisation_id and a.asset_id = f.asset_id
        where f.site_id in (select unnest(?))
            and (f.is_ongoing or cast(timezone(coalesce(s.time_zone, 'UTC'), f.ended_at) as date) between ? and ?)
        order by hours desc, f.asset_id, f.started_at
    """
    return _rows(version, query, [as_of, site_ids, start, end])


def endpoints(version: str) -> pl.DataFrame:
    """One row per organisation and endpoint: its last synchronisation, whatever came of it, and when it was last read well."""
    query = """
        with last as (
            select * from ops.endpoint_runs where kind = 'sync'
            qualify row_number() over (partition by organisation_id, endpoint order by read_at desc, run_id desc) = 1
        ),
        good as (
            select organisation_id, endpoint, max(read_at) as good_at
            from ops.endpoint_runs where kind = 'sync' and status = 'ok' group by all
        )
        select l.organisation_id, l.endpoint, l.status, g.good_at, l.requests, l.fetched, l.inserted, l.updated, l.unchanged, l.quarantined,
            l.deleted, l.seconds, l.watermark_to, l.reason
        from last l left join good g using (organisation_id, endpoint) order by l.organisation_id, l.endpoint
    """
    return _rows(version, query)


def labour_sweeps(version: str) -> pl.DataFrame:
    """One row per organisation whose labour and costs were swept: when that went well the last time, and what it found."""
    query = """
        select organisation_id, max(read_at) as swept_at, max_by(fetched, read_at) as orders, max_by(updated, read_at) as changed
        from ops.endpoint_runs where kind = 'labour' and status = 'ok' group by organisation_id order by organisation_id
    """
    return _rows(version, query)


def reconciliations(version: str) -> pl.DataFrame:
    """One row per organisation and endpoint: its last reconciliation."""
    query = """
        select organisation_id, endpoint, status, reconciled_at, scope, source_rows, raw_rows, missing, ghost, stale, healed, deleted,
            late_rows, source_labour_seconds, raw_labour_seconds, source_cost_cents, raw_cost_cents, reason
        from ops.reconciliation
        qualify row_number() over (partition by organisation_id, endpoint order by reconciled_at desc, run_id desc) = 1
        order by organisation_id, endpoint
    """
    return _rows(version, query)


def quarantined(version: str) -> pl.DataFrame:
    """One row per record in quarantine that was neither replayed nor discarded.

    stale_since is set where the figures go on with the last good version of the record.
    """
    query = """
        select organisation_id, endpoint, record_id, reason_code, field, value, stale_since, detail, times_seen, first_seen_at, last_seen_at
        from ops.quarantine where status = 'open' order by last_seen_at desc, organisation_id, endpoint, record_id
    """
    return _rows(version, query)


def drift(version: str) -> pl.DataFrame:
    """One row per key or value of the API that was never seen before."""
    return _rows(version, "select * from ops.drift order by last_seen_at desc, organisation_id, endpoint, field")


def gaps(version: str) -> pl.DataFrame:
    """One row per organisation and gap of its live work orders: what is missing, in how many orders, of how many.

    A gap bounds a figure: an order without an asset is in no downtime, a repair without logged time in no mttr_labour.
    """
    gap = """
        select organisation_id, '{what}' as what_is_missing, count(*) as of_orders,
            cast(sum(case when {lacks} then 1 else 0 end) as bigint) as orders
        from marts.fct_work_orders where {among} group by organisation_id"""
    parts = [gap.format(what=what, lacks=lacks, among=among) for what, lacks, among in GAPS]
    union = " union all ".join(parts)
    query = f"""select organisation_id, what_is_missing, orders, of_orders from ({union})
        where orders > 0 order by organisation_id, orders desc, what_is_missing"""  # noqa: S608 (words of this module)
    return _rows(version, query)


def runs(version: str, count: int = 30) -> pl.DataFrame:
    """One row per run and organisation, the newest first."""
    query = """
        select organisation_id, kind, status, wall_finished_at as finished_at, finished_at as data_to_at,
            epoch(wall_finished_at - wall_started_at) as seconds, requests, error, run_id
        from ops.runs order by wall_started_at desc nulls last, organisation_id limit ?
    """
    return _rows(version, query, [count])

with
    sites as (select *, {{ local_date(as_of(), "time_zone") }} as last_on from {{ ref("dim_sites") }}),
    organisations as (
        select
            organisation_id,
            max(last_on) as last_on,
            {{ add_months("max(last_on)", -12 * (var("kpi_years") | int)) }} as floor_on,
            sum(case when is_unassigned then 0 else crew_hours_per_week end) as crew_hours_per_week,
            min(case when is_unassigned or crew_hours_per_week > 0 then 1 else 0 end) = 1 as has_crew_hours
        from sites
        group by organisation_id
    ),
    first_orders as (select organisation_id, min(created_on) as first_on from {{ ref("int_work_orders") }} group by organisation_id),
    known as (select distinct organisation_id from {{ ref("stg_runs") }}),
    readings as (
        select organisation_id, max(read_at) as data_to
        from {{ ref("stg_readings") }}
        where endpoint = 'work_orders' and kind = 'sync' and status = 'ok'
        group by organisation_id
    ),
    ranges as (
        select
            organisations.*,
            {{
                earlier_of(
                    "organisations.last_on",
                    "case when first_orders.first_on > organisations.floor_on then first_orders.first_on "
                    ~ "when first_orders.first_on is null then organisations.last_on else organisations.floor_on end",
                )
            }} as first_on,
            known.organisation_id is not null as is_observed,
            readings.data_to
        from organisations
        left join first_orders on organisations.organisation_id = first_orders.organisation_id
        left join known on organisations.organisation_id = known.organisation_id
        left join readings on organisations.organisation_id = readings.organisation_id
    ),
    periods as (
        select distinct 'week' as period_grain, week_start_on as period_start_on, {{ add_days("week_start_on", 6) }} as period_end_on
        from {{ ref("dim_dates") }}
        union all
        select distinct
            'month' as period_grain, month_start_on as period_start_on, {{ add_days(add_months("month_start_on", 1), -1) }} as period_end_on
        from {{ ref("dim_dates") }}
        union all
        select distinct
            'quarter' as period_grain,
            quarter_start_on as period_start_on,
            {{ add_days(add_months("quarter_start_on", 3), -1) }} as period_end_on
        from {{ ref("dim_dates") }}
        union all
        select distinct
            'year' as period_grain,
            {{ year_start("date_on") }} as period_start_on,
            {{ add_days(add_months(year_start("date_on"), 12), -1) }} as period_end_on
        from {{ ref("dim_dates") }}
    ),
    site_periods as (
        select
            ranges.organisation_id,
            ranges.is_observed,
            ranges.data_to,
            ranges.crew_hours_per_week as organisation_crew_hours,
            ranges.has_crew_hours,
            sites.site_id,
            sites.time_zone,
            sites.last_on,
            sites.crew_hours_per_week,
            periods.period_grain,
            periods.period_start_on,
            periods.period_end_on,
            {{ local_midnight("periods.period_start_on", "sites.time_zone") }} as starts_at,
            {{ local_midnight(add_days("periods.period_end_on", 1), "sites.time_zone") }} as ends_at
        from ranges
        inner join sites on ranges.organisation_id = sites.organisation_id
        inner join periods on periods.period_end_on >= ranges.first_on and periods.period_start_on <= ranges.last_on
    )
select
    organisation_id,
    'site' as scope_type,
    site_id as scope_id,
    site_id,
    period_grain,
    period_start_on,
    period_end_on,
    starts_at,
    ends_at,
    time_zone,
    ends_at > {{ as_of() }} as is_open,
    {{ plus_seconds("ends_at", 2592000) }} <= {{ as_of() }} as is_mature,
    is_observed,
    data_to,
    case when crew_hours_per_week > 0 then crew_hours_per_week end as crew_hours_per_week
from site_periods
where period_start_on <= last_on
union all
select
    organisation_id,
    'organisation' as scope_type,
    cast(organisation_id as {{ dbt.type_string() }}) as scope_id,
    null as site_id,
    period_grain,
    period_start_on,
    period_end_on,
    min(starts_at) as starts_at,
    max(ends_at) as ends_at,
    case when min(time_zone) = max(time_zone) then min(time_zone) end as time_zone,
    max(ends_at) > {{ as_of() }} as is_open,
    {{ plus_seconds("max(ends_at)", 2592000) }} <= {{ as_of() }} as is_mature,
    is_observed,
    data_to,
    case when has_crew_hours and organisation_crew_hours > 0 then organisation_crew_hours end as crew_hours_per_week
from site_periods
group by organisation_id, period_grain, period_start_on, period_end_on, is_observed, data_to, has_crew_hours, organisation_crew_hours

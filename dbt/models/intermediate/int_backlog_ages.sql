with
    zones as (select distinct organisation_id, time_zone from {{ ref("dim_sites") }}),
    periods as (
        select
            periods.organisation_id,
            zones.time_zone,
            periods.period_grain,
            periods.period_start_on,
            periods.period_end_on,
            {{ local_midnight(add_days("periods.period_end_on", 1), "zones.time_zone") }} as ends_at
        from {{ ref("int_kpi_periods") }} as periods
        inner join zones on periods.organisation_id = zones.organisation_id
        where periods.scope_type = 'organisation'
    )
select
    stays.organisation_id,
    stays.work_order_id,
    stays.site_id,
    stays.cut_id,
    periods.period_grain,
    periods.period_start_on,
    {{ seconds_between("stays.created_at", "case when periods.ends_at < " ~ as_of() ~ " then periods.ends_at else " ~ as_of() ~ " end") }}
    as age_seconds
from {{ ref("int_backlog_stays") }} as stays
inner join
    periods
    on stays.organisation_id = periods.organisation_id
    and stays.time_zone = periods.time_zone
    and stays.entered_on <= periods.period_end_on
    and (stays.left_on is null or stays.left_on > periods.period_end_on)
where stays.state = 'shown'

with
    site_periods as (
        select
            periods.organisation_id,
            periods.site_id,
            periods.period_grain,
            periods.period_start_on,
            periods.starts_at,
            {{ earlier_of("periods.ends_at", as_of()) }} as measured_to,
            {{ earlier_of("periods.period_end_on", local_date(as_of(), "sites.time_zone")) }} as last_on,
            sites.time_zone
        from {{ ref("int_kpi_periods") }} as periods
        inner join {{ ref("dim_sites") }} as sites on periods.scope_id = sites.site_id
        where periods.scope_type = 'site'
    )
select organisation_id, site_id, 'period' as span, period_grain, period_start_on, starts_at, measured_to as ends_at
from site_periods
{% for days in [90, 365] %}
    union all
    select
        organisation_id,
        site_id,
        '{{ days }}_days' as span,
        period_grain,
        period_start_on,
        {{ local_midnight(add_days("last_on", 1 - days), "time_zone") }} as starts_at,
        measured_to as ends_at
    from site_periods
{% endfor %}

{# Each row of `relation` (organisation_id, site_id, measured_on, …) once per scope and period that it falls in. #}
{% macro in_periods(relation) %}
    select
        dated.*,
        grains.period_grain,
        case
            when grains.period_grain = 'week' then {{ iso_week("dated.measured_on") }} else {{ month("dated.measured_on") }}
        end as period_start_on
    from ({{ in_scopes(relation) }}) as dated
    cross join
        (
            select 'week' as period_grain
            union all
            select 'month' as period_grain
        ) as grains
{% endmacro %}

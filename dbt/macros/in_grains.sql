{# Each row of `relation` (measured_on, `columns`) once per grain, with the period of it that holds measured_on. #}
{% macro in_grains(relation, columns) %}
    select
        dated.{{ columns | join(", dated.") }},
        grains.period_grain,
        case
            grains.period_grain
            when 'week'
            then {{ iso_week("dated.measured_on") }}
            when 'month'
            then {{ month("dated.measured_on") }}
            when 'quarter'
            then {{ quarter("dated.measured_on") }}
            else {{ year_start("dated.measured_on") }}
        end as period_start_on
    from {{ relation }} as dated
    cross join
        (
            select 'week' as period_grain
            union all
            select 'month' as period_grain
            union all
            select 'quarter' as period_grain
            union all
            select 'year' as period_grain
        ) as grains
{% endmacro %}

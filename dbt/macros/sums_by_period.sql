{# The integer `measures` of `relation` (organisation_id, site_id, measured_on, …) summed per scope and period, on the KPI spine. #}
{% macro sums_by_period(relation, measures) %}
    {% set sums %}
    (
        select
            organisation_id,
            scope_type,
            scope_id,
            period_grain,
            period_start_on
            {%- for measure in measures %}, cast(sum({{ measure }}) as bigint) as {{ measure }}{% endfor %}
        from ({{ in_periods(relation) }}) as expanded
        group by organisation_id, scope_type, scope_id, period_grain, period_start_on
    )
    {% endset %}
    {{ on_spine(sums, measures) }}
{% endmacro %}

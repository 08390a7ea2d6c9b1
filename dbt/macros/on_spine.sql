{# The KPI spine (a row for every scope, grain and period, also those in which nothing happened) with the `measures` of
   `relation`, 0 where it has no row. `relation` has organisation_id, scope_type, scope_id, period_grain, period_start_on. #}
{% macro on_spine(relation, measures) %}
    select periods.* {%- for measure in measures %}, coalesce(measured.{{ measure }}, 0) as {{ measure }}{% endfor %}
    from {{ ref("int_kpi_periods") }} as periods
    left join
        {{ relation }} as measured
        on periods.organisation_id = measured.organisation_id
        and periods.scope_type = measured.scope_type
        and periods.scope_id = measured.scope_id
        and periods.period_grain = measured.period_grain
        and periods.period_start_on = measured.period_start_on
{% endmacro %}

{# The columns of the KPI spine. #}
{% macro spine_columns() %}
    {{
        return(
            scope_keys()
            + [
                "period_end_on",
                "starts_at",
                "ends_at",
                "time_zone",
                "is_open",
                "is_mature",
                "is_observed",
                "data_to",
                "crew_hours_per_week",
            ]
        )
    }}
{% endmacro %}

{# The KPI spine with `measures` of sites and organisations (`wide`) and of finer scopes (`fine`). #}
{% macro spine(wide, fine, measures, as_is=[]) %}
    {{ wide_spine(wide, measures, as_is) }}
    union all
    {{ fine_spine(fine, measures, as_is) }}
{% endmacro %}

{# A row for every site and organisation, grain and period, also those in which nothing happened, with the `measures` of `relation`
   (and the columns of scope_keys()), 0 where it has no row; the columns `as_is` are NULL there. #}
{% macro wide_spine(relation, measures, as_is=[]) %}
    select
        periods.{{ spine_columns() | join(", periods.") }}
        {%- for measure in measures %}, coalesce(measured.{{ measure }}, 0) as {{ measure }}{% endfor %}
        {%- for measure in as_is %}, measured.{{ measure }}{% endfor %}
    from {{ ref("int_kpi_periods") }} as periods
    left join
        {{ relation }} as measured
        on periods.organisation_id = measured.organisation_id
        and periods.scope_type = measured.scope_type
        and periods.scope_id = measured.scope_id
        and periods.period_grain = measured.period_grain
        and periods.period_start_on = measured.period_start_on
{% endmacro %}

{# The rows of `relation` (scope_keys() and measures) with the windows of their periods: those of the scope's site or, where it has
   several, of its organisation. #}
{% macro fine_spine(relation, measures, as_is=[]) %}
    select
        measured.{{ scope_keys() | join(", measured.") }}
        {%- for column in spine_columns() if column not in scope_keys() + ["crew_hours_per_week"] %}, periods.{{ column }}{% endfor %},
        cast(null as {{ double() }}) as crew_hours_per_week,
        measured.{{ (measures + as_is) | join(", measured.") }}
    from {{ relation }} as measured
    inner join
        {{ ref("int_kpi_periods") }} as periods
        on {{ is_period_of("measured", "periods") }}
        and measured.period_grain = periods.period_grain
        and measured.period_start_on = periods.period_start_on
{% endmacro %}

{# The condition that a row of int_kpi_periods is on the calendar of a fine scope: its site's, or its organisation's. #}
{% macro is_period_of(scope, period) %}
    {{ scope }}.organisation_id = {{ period }}.organisation_id
    and coalesce({{ scope }}.site_id, cast({{ scope }}.organisation_id as {{ dbt.type_string() }})) = {{ period }}.scope_id
    and case when {{ scope }}.site_id is null then 'organisation' else 'site' end = {{ period }}.scope_type
{% endmacro %}

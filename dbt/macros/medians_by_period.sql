{# The exact median of the column `x` of `relation` (organisation_id, site_id, measured_on, x) and its count, as `median_x` and
   `orders`, per scope and period, on the KPI spine; without rows both are 0. #}
{% macro medians_by_period(relation, x) %}
    {% set keys = ["organisation_id", "scope_type", "scope_id", "period_grain", "period_start_on"] %}
    {% set medians %}
    (
        select distinct
            {{ keys | join(", ") }},
            {{ median(x, keys) }} as median_x,
            count(*) over (partition by {{ keys | join(", ") }}) as orders
        from ({{ in_periods(relation) }}) as expanded
    )
    {% endset %}
    {{ on_spine(medians, ["median_x", "orders"]) }}
{% endmacro %}

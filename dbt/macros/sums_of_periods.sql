{# As sums_by_period, of a `relation` that is already by period: organisation_id, site_id, cut_id, period_grain, period_start_on, …
   The periods are those of the row's own site. #}
{% macro sums_of_periods(relation, measures) %}
    {{ spine("(" ~ wide_sums(relation, measures) ~ ")", "(" ~ fine_sums(relation, measures) ~ ")", measures) }}
{% endmacro %}

{# The exact interpolated quantile of `x` within the rows that share the columns `by` (a list); NULLs of x are left out. #}
{% macro quantile_over(x, q, by) %} {{ return(adapter.dispatch("quantile_over")(x, q, by)) }} {% endmacro %}
{% macro default__quantile_over(x, q, by) %}
    quantile_cont(cast({{ x }} as double), {{ q }}) over (partition by {{ by | join(", ") }})
{% endmacro %}
{% macro bigquery__quantile_over(x, q, by) %}
    percentile_cont(cast({{ x }} as float64), {{ q }}) over (partition by {{ by | join(", ") }})
{% endmacro %}

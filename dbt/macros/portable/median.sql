{# The exact interpolated median of `x` within the rows that share the columns `by` (a list), as a window. #}
{% macro median(x, by) %} {{ return(adapter.dispatch("median")(x, by)) }} {% endmacro %}
{% macro default__median(x, by) %} {{ return(quantile_over(x, 0.5, by)) }} {% endmacro %}

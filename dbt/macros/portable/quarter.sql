{# The first day of the quarter of `date`. #}
{% macro quarter(date) %} {{ return(adapter.dispatch("quarter")(date)) }} {% endmacro %}
{% macro default__quarter(date) %} cast(date_trunc('quarter', {{ date }}) as date) {% endmacro %}
{% macro bigquery__quarter(date) %} date_trunc({{ date }}, quarter) {% endmacro %}

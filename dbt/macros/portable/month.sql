{# The first day of the month of `date`. #}
{% macro month(date) %} {{ return(adapter.dispatch("month")(date)) }} {% endmacro %}
{% macro default__month(date) %} cast(date_trunc('month', {{ date }}) as date) {% endmacro %}
{% macro bigquery__month(date) %} date_trunc({{ date }}, month) {% endmacro %}

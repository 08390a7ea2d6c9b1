{# The first day of the year of `date`. #}
{% macro year_start(date) %} {{ return(adapter.dispatch("year_start")(date)) }} {% endmacro %}
{% macro default__year_start(date) %} cast(date_trunc('year', {{ date }}) as date) {% endmacro %}
{% macro bigquery__year_start(date) %} date_trunc({{ date }}, year) {% endmacro %}

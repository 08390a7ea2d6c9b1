{# The Monday that starts the week of `date`. dbt.date_trunc('week') is Monday on DuckDB, Sunday on BigQuery. #}
{% macro iso_week(date) %} {{ return(adapter.dispatch("iso_week")(date)) }} {% endmacro %}
{% macro default__iso_week(date) %} cast(date_trunc('week', {{ date }}) as date) {% endmacro %}
{% macro bigquery__iso_week(date) %} date_trunc({{ date }}, isoweek) {% endmacro %}

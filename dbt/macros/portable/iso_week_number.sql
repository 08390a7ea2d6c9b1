{# The ISO 8601 number of the week of `date`, 1 to 53; it belongs to iso_year, not to the calendar year. #}
{% macro iso_week_number(date) %} {{ return(adapter.dispatch("iso_week_number")(date)) }} {% endmacro %}
{% macro default__iso_week_number(date) %} cast(extract(week from {{ date }}) as bigint) {% endmacro %}
{% macro bigquery__iso_week_number(date) %} extract(isoweek from {{ date }}) {% endmacro %}

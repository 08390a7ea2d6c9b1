{# The ISO 8601 year that the week of `date` belongs to. #}
{% macro iso_year(date) %} {{ return(adapter.dispatch("iso_year")(date)) }} {% endmacro %}
{% macro default__iso_year(date) %} cast(extract(isoyear from {{ date }}) as bigint) {% endmacro %}
{% macro bigquery__iso_year(date) %} extract(isoyear from {{ date }}) {% endmacro %}

{# The calendar date that the instant falls on in the time zone (an IANA name, may be a column). #}
{% macro local_date(at, zone) %} {{ return(adapter.dispatch("local_date")(at, zone)) }} {% endmacro %}
{% macro default__local_date(at, zone) %} cast(timezone({{ zone }}, {{ at }}) as date) {% endmacro %}
{% macro bigquery__local_date(at, zone) %} date({{ at }}, {{ zone }}) {% endmacro %}

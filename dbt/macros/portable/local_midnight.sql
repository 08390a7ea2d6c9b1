{# The instant at which the date begins in the time zone; where clocks jump over midnight, the instant of the jump. #}
{% macro local_midnight(on, zone) %} {{ return(adapter.dispatch("local_midnight")(on, zone)) }} {% endmacro %}
{% macro default__local_midnight(on, zone) %} timezone({{ zone }}, cast({{ on }} as timestamp)) {% endmacro %}
{% macro bigquery__local_midnight(on, zone) %} timestamp({{ on }}, {{ zone }}) {% endmacro %}

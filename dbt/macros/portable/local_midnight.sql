{# The instant at which the date begins in the time zone: the first of two midnights, or where clocks jump over it, the instant of the jump. #}
{% macro local_midnight(on, zone) %} {{ return(adapter.dispatch("local_midnight")(on, zone)) }} {% endmacro %}
{% macro default__local_midnight(on, zone) %} {{ return(wall_time(on, 0, zone)) }} {% endmacro %}
{% macro bigquery__local_midnight(on, zone) %} timestamp({{ on }}, {{ zone }}) {% endmacro %}

{# Whole seconds from `earlier` to `later`: the microseconds between, divided by a million and rounded down (-0.5 s is -1). #}
{% macro seconds_between(earlier, later) %} {{ return(adapter.dispatch("seconds_between")(earlier, later)) }} {% endmacro %}
{% macro default__seconds_between(earlier, later) %} cast(floor({{ micros_between(earlier, later) }} / 1000000) as bigint) {% endmacro %}

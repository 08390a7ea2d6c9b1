{# The earlier (or smaller) of two values; NULL if either is. #}
{% macro earlier_of(a, b) %} {{ return(adapter.dispatch("earlier_of")(a, b)) }} {% endmacro %}
{% macro default__earlier_of(a, b) %} case when {{ a }} <= {{ b }} then {{ a }} when {{ b }} < {{ a }} then {{ b }} end {% endmacro %}

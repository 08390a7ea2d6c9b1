{# The later (or larger) of two values; NULL if either is. #}
{% macro later_of(a, b) %} {{ return(adapter.dispatch("later_of")(a, b)) }} {% endmacro %}
{% macro default__later_of(a, b) %} case when {{ a }} >= {{ b }} then {{ a }} when {{ b }} > {{ a }} then {{ b }} end {% endmacro %}

{# The numerator by the denominator as a 64-bit float; NULL when the denominator is zero or either is NULL. #}
{% macro ratio(numerator, denominator) %} {{ return(adapter.dispatch("ratio")(numerator, denominator)) }} {% endmacro %}
{% macro default__ratio(numerator, denominator) %}
    cast({{ numerator }} as {{ double() }}) / nullif(cast({{ denominator }} as {{ double() }}), 0)
{% endmacro %}

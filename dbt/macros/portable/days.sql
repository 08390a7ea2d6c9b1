{# Seconds as days of 24 hours, as a float. #}
{% macro days(seconds) %} {{ return(adapter.dispatch("days")(seconds)) }} {% endmacro %}
{% macro default__days(seconds) %} (cast({{ seconds }} as {{ double() }}) / 86400) {% endmacro %}

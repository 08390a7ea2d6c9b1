{# Integer seconds as hours: the last division, and the only place where a duration becomes a float. #}
{% macro hours(seconds) %} {{ return(adapter.dispatch("hours")(seconds)) }} {% endmacro %}
{% macro default__hours(seconds) %} (cast({{ seconds }} as {{ double() }}) / 3600) {% endmacro %}

{# The same day that many months earlier, the number being a column; where the month has no such day, its last one. #}
{% macro months_before(on, months) %} {{ return(adapter.dispatch("months_before")(on, months)) }} {% endmacro %}
{% macro default__months_before(on, months) %} cast({{ on }} - to_months(cast({{ months }} as integer)) as date) {% endmacro %}
{% macro bigquery__months_before(on, months) %} date_sub({{ on }}, interval {{ months }} month) {% endmacro %}

{# The same day that many months later (or earlier, if negative); 31 January plus one is the last day of February. #}
{% macro add_months(on, months) %} {{ return(adapter.dispatch("add_months")(on, months)) }} {% endmacro %}
{% macro default__add_months(on, months) %} cast({{ on }} + interval '{{ months }} months' as date) {% endmacro %}
{% macro bigquery__add_months(on, months) %} date_add({{ on }}, interval {{ months }} month) {% endmacro %}

{# The date that many days later, or earlier if negative. #}
{% macro add_days(on, days) %} {{ return(adapter.dispatch("add_days")(on, days)) }} {% endmacro %}
{% macro default__add_days(on, days) %} cast({{ on }} + interval '{{ days }} days' as date) {% endmacro %}
{% macro bigquery__add_days(on, days) %} date_add({{ on }}, interval {{ days }} day) {% endmacro %}

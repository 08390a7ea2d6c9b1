{# Calendar days from the earlier date to the later, negative when they are the other way round. #}
{% macro days_between(earlier, later) %} {{ return(adapter.dispatch("days_between")(earlier, later)) }} {% endmacro %}
{% macro default__days_between(earlier, later) %} date_diff('day', {{ earlier }}, {{ later }}) {% endmacro %}
{% macro bigquery__days_between(earlier, later) %} date_diff({{ later }}, {{ earlier }}, day) {% endmacro %}

{# The instant that many elapsed seconds later, the number being a column; NULL if either is. #}
{% macro seconds_after(at, seconds) %} {{ return(adapter.dispatch("seconds_after")(at, seconds)) }} {% endmacro %}
{% macro default__seconds_after(at, seconds) %} ({{ at }} + to_microseconds({{ seconds }} * 1000000)) {% endmacro %}
{% macro bigquery__seconds_after(at, seconds) %} timestamp_add({{ at }}, interval {{ seconds }} second) {% endmacro %}

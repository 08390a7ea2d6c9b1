{# The instant that many elapsed seconds later (or earlier, if negative); a day of daylight saving is still 86,400 of them. #}
{% macro plus_seconds(at, seconds) %} {{ return(adapter.dispatch("plus_seconds")(at, seconds)) }} {% endmacro %}
{% macro default__plus_seconds(at, seconds) %} ({{ at }} + interval '{{ seconds }} seconds') {% endmacro %}
{% macro bigquery__plus_seconds(at, seconds) %} timestamp_add({{ at }}, interval {{ seconds }} second) {% endmacro %}

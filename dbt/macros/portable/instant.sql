{# The instant written as ISO text with a Z, to the microsecond, in UTC. #}
{% macro instant(text) %} {{ return(adapter.dispatch("instant")(text)) }} {% endmacro %}
{% macro default__instant(text) %} cast('{{ text }}' as timestamp with time zone) {% endmacro %}
{% macro bigquery__instant(text) %} cast('{{ text }}' as timestamp) {% endmacro %}

{# The instant at which KPIs are evaluated; the run passes it, no model asks for the time. #}
{% macro as_of() %} {{ return(adapter.dispatch("as_of")()) }} {% endmacro %}
{% macro default__as_of() %} {{ return(instant(var("as_of"))) }} {% endmacro %}

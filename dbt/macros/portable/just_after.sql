{# The first microsecond after the instant, the finest step on either warehouse. #}
{% macro just_after(at) %} {{ return(adapter.dispatch("just_after")(at)) }} {% endmacro %}
{% macro default__just_after(at) %} ({{ at }} + interval '1 microsecond') {% endmacro %}
{% macro bigquery__just_after(at) %} timestamp_add({{ at }}, interval 1 microsecond) {% endmacro %}

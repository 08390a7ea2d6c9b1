{# The last microsecond before the instant, the finest step on either warehouse. #}
{% macro just_before(at) %} {{ return(adapter.dispatch("just_before")(at)) }} {% endmacro %}
{% macro default__just_before(at) %} ({{ at }} - interval '1 microsecond') {% endmacro %}
{% macro bigquery__just_before(at) %} timestamp_sub({{ at }}, interval 1 microsecond) {% endmacro %}

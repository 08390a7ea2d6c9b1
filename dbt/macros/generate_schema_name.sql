{# The schema is the one the model names: staging, intermediate or marts, whatever the target. #}
{% macro generate_schema_name(custom_schema_name, node) %} {{ return((custom_schema_name or target.schema) | trim) }} {% endmacro %}

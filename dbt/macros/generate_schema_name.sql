{# The schema is the one the model names: staging, intermediate or marts. The target's own is that of the marts; what stands
   before `marts` in it (in BigQuery all datasets of a project share one list of names) stands before every other one too. #}
{% macro generate_schema_name(custom_schema_name, node) %}
    {{ return(target.schema | replace("marts", "") ~ ((custom_schema_name or "marts") | trim)) }}
{% endmacro %}

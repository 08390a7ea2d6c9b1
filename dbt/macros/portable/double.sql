{# The name of the 64-bit floating point type. dbt's type_float is 32 bits wide on DuckDB. #}
{% macro double() %} {{ return(adapter.dispatch("double")()) }} {% endmacro %}
{% macro default__double() %} {{ return("double") }} {% endmacro %}
{% macro bigquery__double() %} {{ return("float64") }} {% endmacro %}

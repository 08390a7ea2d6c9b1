{# The texts of a group as one, in their own order, separated by a comma; NULLs are left out. #}
{% macro joined_text(x) %} {{ return(adapter.dispatch("joined_text")(x)) }} {% endmacro %}
{% macro default__joined_text(x) %} string_agg({{ x }}, ', ' order by {{ x }} nulls last) {% endmacro %}
{% macro bigquery__joined_text(x) %} string_agg({{ x }}, ', ' order by {{ x }}) {% endmacro %}

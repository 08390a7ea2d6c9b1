{# A relation of constants: `columns` maps names to types, `rows` are tuples of numbers in their order. #}
{% macro literal_rows(columns, rows) %} {{ return(adapter.dispatch("literal_rows")(columns, rows)) }} {% endmacro %}
{% macro default__literal_rows(columns, rows) %}
    select {% for name, type in columns.items() %} cast({{ name }} as {{ type }}) as {{ name }}{{ ", " if not loop.last }}{% endfor %}
    from
        (values {% for row in rows %} ({{ row | join(", ") }}){{ ", " if not loop.last }}{% endfor %}) as literals(
            {{ columns | join(", ") }}
        )
{% endmacro %}
{% macro bigquery__literal_rows(columns, rows) %}
    select {% for name, type in columns.items() %} cast({{ name }} as {{ type }}) as {{ name }}{{ ", " if not loop.last }}{% endfor %}
    from
        unnest(
            [
                struct({% for value in rows[0] %}{{ value }} as {{ (columns | list)[loop.index0] }}{{ ", " if not loop.last }}{% endfor %})
                {%- for row in rows[1:] %}, ({{ row | join(", ") }}){% endfor %}
            ]
        )
{% endmacro %}

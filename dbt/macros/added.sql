{# The rows of `relation` that share `keys`, as one row with the sums of the integer `measures`. #}
{% macro added(relation, keys, measures) %}
    select
        {{ keys | join(", ") }}
        {%- for measure in measures %}, cast(sum({{ measure }}) as {{ dbt.type_bigint() }}) as {{ measure }}{% endfor %}
    from {{ relation }} as parts
    group by {{ keys | join(", ") }}
{% endmacro %}

{# The KPI spine with the `measures` of `relation`, which is already by scope and period (the columns of scope_keys()): 0 where it has
   no row for a site or an organisation; rows of finer scopes as they are. #}
{% macro on_spine(relation, measures) %}
    {% set wide = "(select * from " ~ relation ~ " as whole where scope_type in ('site', 'organisation'))" %}
    {% set fine = "(select * from " ~ relation ~ " as whole where " ~ is_fine_scope("whole") ~ ")" %}
    {{ spine(wide, fine, measures) }}
{% endmacro %}

{# Each row of `relation` (organisation_id, site_id, cut_id, `columns`) once per scope that it belongs to: its site, its organisation
   and the fine scopes of its cut. #}
{% macro in_scopes(relation, columns) %}
    {{ in_wide_scopes(relation, columns) }}
    union all
    {{ in_fine_scopes(relation, columns) }}
{% endmacro %}

{# Each row of `relation` (organisation_id, cut_id, `columns`) once per fine scope of its cut; site_id is the scope's own, NULL where
   it has several. A relation by period (period_grain, period_start_on among the columns) keeps the periods that fine scopes have. #}
{% macro in_fine_scopes(relation, columns) %}
    select facts.organisation_id, scopes.scope_type, scopes.scope_id, scopes.site_id, facts.{{ columns | join(", facts.") }}
    from {{ relation }} as facts
    inner join {{ ref("int_cut_scopes") }} as scopes on facts.organisation_id = scopes.organisation_id and facts.cut_id = scopes.cut_id
    where
        {{ is_fine_scope("scopes") }}
        {% if "period_grain" in columns %} and {{ is_fine_period("facts") }} and {{ is_grain_of("scopes", "facts") }} {% endif %}
{% endmacro %}

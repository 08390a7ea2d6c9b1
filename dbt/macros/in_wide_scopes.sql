{# Each row of `relation` (organisation_id, site_id, `columns`) twice: for its site and for its organisation, as scope_type and
   scope_id; site_id is NULL for the organisation. #}
{% macro in_wide_scopes(relation, columns) %}
    select
        facts.organisation_id,
        scopes.scope_type,
        case when scopes.scope_type = 'site' then facts.site_id else cast(facts.organisation_id as {{ dbt.type_string() }}) end as scope_id,
        case when scopes.scope_type = 'site' then facts.site_id end as site_id,
        facts.{{ columns | join(", facts.") }}
    from {{ relation }} as facts
    cross join
        (
            select 'site' as scope_type
            union all
            select 'organisation' as scope_type
        ) as scopes
{% endmacro %}

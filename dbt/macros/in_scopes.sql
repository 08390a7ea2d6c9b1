{# Each row of `relation` (organisation_id, site_id, …) twice: for its site and for its organisation, as scope_type and scope_id. #}
{% macro in_scopes(relation) %}
    select
        facts.*,
        scopes.scope_type,
        case when scopes.scope_type = 'site' then facts.site_id else cast(facts.organisation_id as {{ dbt.type_string() }}) end as scope_id
    from {{ relation }} as facts
    cross join
        (
            select 'site' as scope_type
            union all
            select 'organisation' as scope_type
        ) as scopes
{% endmacro %}

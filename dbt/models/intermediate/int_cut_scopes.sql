{% set text = dbt.type_string() %}
with
    cut_orders as (
        select cuts.organisation_id, cuts.cut_id, min(places.work_order_id) as work_order_id
        from {{ ref("int_cuts") }} as cuts
        inner join
            {{ ref("int_work_order_places") }} as places on cuts.organisation_id = places.organisation_id and cuts.cut_key = places.cut_key
        where cuts.team_key is not null
        group by cuts.organisation_id, cuts.cut_id
    ),
    scoped as (
        select
            cuts.organisation_id,
            cuts.cut_id,
            cuts.site_id,
            'location_subtree' as scope_type,
            cast(above.ancestor_id as {{ text }}) as scope_id
        from {{ ref("int_cuts") }} as cuts
        inner join
            {{ ref("int_location_ancestors") }} as above
            on cuts.organisation_id = above.organisation_id
            and cuts.location_id = above.location_id
        union all
        select distinct cuts.organisation_id, cuts.cut_id, cuts.site_id, 'asset_type' as scope_type, types.asset_type as scope_id
        from {{ ref("int_cuts") }} as cuts
        inner join
            {{ ref("stg_asset_last_types") }} as types on cuts.organisation_id = types.organisation_id and cuts.asset_id = types.asset_id
        where types.asset_type is not null
        union all
        select cuts.organisation_id, cuts.cut_id, cuts.site_id, 'team' as scope_type, cast(teams.team_id as {{ text }}) as scope_id
        from {{ ref("int_cuts") }} as cuts
        inner join cut_orders on cuts.organisation_id = cut_orders.organisation_id and cuts.cut_id = cut_orders.cut_id
        inner join
            {{ ref("int_work_order_teams") }} as teams
            on cut_orders.organisation_id = teams.organisation_id
            and cut_orders.work_order_id = teams.work_order_id
        union all
        select organisation_id, cut_id, site_id, 'asset' as scope_type, cast(asset_id as {{ text }}) as scope_id
        from {{ ref("int_cuts") }}
        where asset_id is not null
    ),
    scopes as (
        select organisation_id, scope_type, scope_id, case when min(site_id) = max(site_id) then min(site_id) end as site_id
        from scoped
        group by organisation_id, scope_type, scope_id
    )
select scoped.organisation_id, scoped.cut_id, scoped.scope_type, scoped.scope_id, scopes.site_id
from scoped
inner join
    scopes
    on scoped.organisation_id = scopes.organisation_id
    and scoped.scope_type = scopes.scope_type
    and scoped.scope_id = scopes.scope_id

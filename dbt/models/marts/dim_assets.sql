with recursive
    nodes as (
        select
            organisation_id,
            asset_id as node_id,
            parent_asset_id as parent_id,
            coalesce(asset_name, '(asset ' || cast(asset_id as {{ dbt.type_string() }}) || ')') as node_name
        from {{ ref("stg_assets") }}
    ),
    walk as ({{ tree_walk("nodes", "walk") }}),
    paths as ({{ tree_paths("walk") }}),
    first_types as (
        select organisation_id, asset_id, min(asset_type) as asset_type from {{ ref("stg_asset_types") }} group by organisation_id, asset_id
    ),
    open_statuses as (
        select
            organisation_id,
            asset_id,
            status,
            row_number() over (
                partition by organisation_id, asset_id order by started_at desc nulls last, asset_status_id desc nulls last
            ) as status_rank
        from {{ ref("stg_asset_statuses") }}
        where ended_at is null
    ),
    referenced as (
        select organisation_id, asset_id
        from {{ ref("stg_work_orders") }}
        where asset_id is not null
        union distinct
        select organisation_id, asset_id
        from {{ ref("stg_asset_statuses") }}
        where asset_id is not null
    ),
    orphans as (
        select referenced.organisation_id, referenced.asset_id
        from referenced
        left join
            {{ ref("stg_assets") }} as assets
            on referenced.organisation_id = assets.organisation_id
            and referenced.asset_id = assets.asset_id
        where assets.asset_id is null
    ),
    known_and_unknown as (
        select
            assets.organisation_id,
            assets.asset_id,
            nodes.node_name as asset_name,
            assets.parent_asset_id,
            paths.node_path as asset_path,
            paths.depth,
            assets.location_id,
            assets.criticality_id,
            first_types.asset_type,
            assets.serial_number,
            assets.manufacturer,
            assets.model,
            open_statuses.status as current_status,
            true as is_known,
            paths.is_in_cycle
        from {{ ref("stg_assets") }} as assets
        inner join nodes on assets.organisation_id = nodes.organisation_id and assets.asset_id = nodes.node_id
        inner join paths on assets.organisation_id = paths.organisation_id and assets.asset_id = paths.node_id
        left join first_types on assets.organisation_id = first_types.organisation_id and assets.asset_id = first_types.asset_id
        left join
            open_statuses
            on assets.organisation_id = open_statuses.organisation_id
            and assets.asset_id = open_statuses.asset_id
            and open_statuses.status_rank = 1
        union all
        select
            organisation_id,
            asset_id,
            '(unknown asset ' || cast(asset_id as {{ dbt.type_string() }}) || ')' as asset_name,
            null as parent_asset_id,
            '(unknown asset ' || cast(asset_id as {{ dbt.type_string() }}) || ')' as asset_path,
            0 as depth,
            null as location_id,
            null as criticality_id,
            null as asset_type,
            null as serial_number,
            null as manufacturer,
            null as model,
            null as current_status,
            false as is_known,
            false as is_in_cycle
        from orphans
    )
select
    assets.organisation_id,
    assets.asset_id,
    assets.asset_name,
    assets.parent_asset_id,
    assets.asset_path,
    assets.depth,
    assets.location_id,
    locations.location_path,
    locations.root_site_id,
    coalesce(locations.root_site_id, default_sites.site_id) as site_id,
    assets.asset_type,
    criticalities.criticality,
    criticalities.criticality_level,
    assets.serial_number,
    assets.manufacturer,
    assets.model,
    assets.current_status,
    assets.is_known,
    assets.is_in_cycle
from known_and_unknown as assets
left join
    {{ ref("dim_locations") }} as locations
    on assets.organisation_id = locations.organisation_id
    and assets.location_id = locations.location_id
left join
    {{ ref("stg_asset_criticalities") }} as criticalities
    on assets.organisation_id = criticalities.organisation_id
    and assets.criticality_id = criticalities.criticality_id
left join {{ ref("dim_sites") }} as default_sites on assets.organisation_id = default_sites.organisation_id and default_sites.is_default

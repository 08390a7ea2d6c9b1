with recursive
    nodes as (
        select
            organisation_id,
            location_id as node_id,
            parent_location_id as parent_id,
            coalesce(location_name, '(location ' || cast(location_id as {{ dbt.type_string() }}) || ')') as node_name
        from {{ ref("stg_locations") }}
    ),
    walk as ({{ tree_walk("nodes", "walk") }}),
    paths as ({{ tree_paths("walk") }}),
    nearest_roots as (
        select
            walk.organisation_id,
            walk.node_id,
            sites.site_id,
            row_number() over (
                partition by walk.organisation_id, walk.node_id order by walk.steps asc nulls last, sites.site_id asc nulls last
            ) as root_rank
        from walk
        inner join
            {{ ref("dim_sites") }} as sites on walk.organisation_id = sites.organisation_id and walk.ancestor_id = sites.root_location_id
    )
select
    nodes.organisation_id,
    nodes.node_id as location_id,
    nodes.node_name as location_name,
    nodes.parent_id as parent_location_id,
    paths.node_path as location_path,
    paths.depth,
    nearest_roots.site_id as root_site_id,
    coalesce(nearest_roots.site_id, default_sites.site_id) as site_id,
    paths.is_in_cycle
from nodes
inner join paths on nodes.organisation_id = paths.organisation_id and nodes.node_id = paths.node_id
left join
    nearest_roots
    on nodes.organisation_id = nearest_roots.organisation_id
    and nodes.node_id = nearest_roots.node_id
    and nearest_roots.root_rank = 1
left join {{ ref("dim_sites") }} as default_sites on nodes.organisation_id = default_sites.organisation_id and default_sites.is_default

with recursive
    nodes as (
        select organisation_id, location_id as node_id, parent_location_id as parent_id, '' as node_name from {{ ref("stg_locations") }}
    ),
    walk as ({{ tree_walk("nodes", "walk") }})
select distinct organisation_id, node_id as location_id, ancestor_id
from walk

{# The CTE body of the walk up a tree: one row per node and ancestor-or-self (ancestor_id, steps from the node, path down to it).
   `nodes` has organisation_id, node_id, parent_id, node_name. A node met before ends the walk, so a cycle cannot hang it. #}
{% macro tree_walk(nodes, walk) %}
    select
        organisation_id,
        node_id,
        node_id as ancestor_id,
        parent_id as next_id,
        cast(0 as bigint) as steps,
        node_name as node_path,
        '/' || cast(node_id as {{ dbt.type_string() }}) || '/' as visited,
        coalesce(parent_id = node_id, false) as is_met_again
    from {{ nodes }}
    union all
    select
        below.organisation_id,
        below.node_id,
        above.node_id as ancestor_id,
        above.parent_id as next_id,
        below.steps + 1 as steps,
        above.node_name || ' / ' || below.node_path as node_path,
        below.visited || cast(above.node_id as {{ dbt.type_string() }}) || '/' as visited,
        coalesce(
            (below.visited || cast(above.node_id as {{ dbt.type_string() }}) || '/')
            like ('%/' || cast(above.parent_id as {{ dbt.type_string() }}) || '/%'),
            false
        ) as is_met_again
    from {{ walk }} as below
    inner join {{ nodes }} as above on below.organisation_id = above.organisation_id and below.next_id = above.node_id
    where not below.is_met_again
{% endmacro %}

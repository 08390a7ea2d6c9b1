{# Every node of a tree with its path from the top ('A / B / C'), depth (0 at the top) and whether a cycle stops the way up.
   `relation` has organisation_id, node_id, parent_id, node_name; the walk stops at a parent that is unknown or was met before. #}
{% macro tree_paths(relation) %}
    select organisation_id, node_id, node_path, depth, is_in_cycle
    from
        (
            select
                organisation_id,
                node_id,
                node_path,
                steps as depth,
                max(case when is_met_again then 1 else 0 end) over (partition by organisation_id, node_id) = 1 as is_in_cycle,
                row_number() over (partition by organisation_id, node_id order by steps desc nulls last) as top_rank
            from {{ relation }}
        ) as ranked
    where top_rank = 1
{% endmacro %}

{# The child rows of the latest version of each parent: same key, so a version that is not the latest brings none. #}
{% macro latest_children(table, parent, parent_id, columns) %}
    select children.organisation_id, children.id, children.position, children.{{ columns | join(", children.") }}
    from {{ source("raw", table) }} as children
    inner join
        {{ ref(parent) }} as parents
        on children.organisation_id = parents.organisation_id
        and children.id = parents.{{ parent_id }}
        and children.version_number = parents.version_number
{% endmacro %}

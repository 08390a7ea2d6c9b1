{# The latest visible version of each record of a raw table, as source rows: of live records, or else of deleted ones. `columns` are read, no others. #}
{% macro latest_versions(table, columns, are_deleted=false) %}
    select versions.{{ columns | join(", versions.") }}
    from {{ source("raw", table) }} as versions
    inner join
        (
            select visible.organisation_id, visible.id, max(visible.version_number) as version_number
            from {{ source("raw", table) }} as visible
            inner join {{ ref("stg_runs") }} as runs on visible.run_id = runs.run_id and visible.organisation_id = runs.organisation_id
            group by visible.organisation_id, visible.id
        ) as latest
        on versions.organisation_id = latest.organisation_id
        and versions.id = latest.id
        and versions.version_number = latest.version_number
    where {{ "" if are_deleted else "not " }}versions.is_deleted
{% endmacro %}

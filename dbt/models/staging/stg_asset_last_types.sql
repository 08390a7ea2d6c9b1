select types.organisation_id, types.id as asset_id, types.position, types.label as asset_type
from {{ source("raw", "asset_types") }} as types
inner join
    (
        select versions.organisation_id, versions.id, max(versions.version_number) as version_number
        from {{ source("raw", "assets") }} as versions
        inner join {{ ref("stg_runs") }} as runs on versions.run_id = runs.run_id and versions.organisation_id = runs.organisation_id
        where not versions.is_deleted
        group by versions.organisation_id, versions.id
    ) as living
    on types.organisation_id = living.organisation_id
    and types.id = living.id
    and types.version_number = living.version_number

select
    versions.organisation_id,
    versions.id as asset_id,
    versions.version_number,
    versions.observed_at,
    versions.is_deleted,
    versions.name as asset_name,
    versions.parent_id as parent_asset_id,
    versions.location_id,
    versions.created_at,
    versions.updated_at
from {{ source("raw", "assets") }} as versions
inner join {{ ref("stg_runs") }} as runs on versions.run_id = runs.run_id and versions.organisation_id = runs.organisation_id

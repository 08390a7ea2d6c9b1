select
    versions.organisation_id,
    versions.id as work_request_id,
    versions.version_number,
    versions.cause,
    versions.run_id,
    versions.observed_at,
    versions.is_deleted,
    versions.status,
    versions.updated_at
from {{ source("raw", "work_requests") }} as versions
inner join {{ ref("stg_runs") }} as runs on versions.run_id = runs.run_id and versions.organisation_id = runs.organisation_id

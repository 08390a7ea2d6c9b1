select
    versions.organisation_id,
    versions.id as work_order_id,
    versions.version_number,
    versions.cause,
    versions.run_id,
    versions.observed_at,
    versions.is_deleted,
    versions.status,
    versions.priority,
    versions.created_at,
    versions.updated_at,
    versions.start_at,
    versions.due_at,
    versions.is_due_full_day,
    versions.completed_at,
    versions.estimated_seconds,
    versions.part_status,
    versions.parts_availability,
    versions.asset_id,
    versions.location_id
from {{ source("raw", "work_orders") }} as versions
inner join {{ ref("stg_runs") }} as runs on versions.run_id = runs.run_id and versions.organisation_id = runs.organisation_id

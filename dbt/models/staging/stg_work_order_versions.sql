select
    versions.organisation_id,
    versions.id as work_order_id,
    versions.version_number,
    versions.cause,
    versions.run_id,
    versions.observed_at,
    versions.is_deleted,
    versions.status,
    versions.updated_at,
    versions.completed_at,
    versions.due_at,
    versions.is_due_full_day
from {{ source("raw", "work_orders") }} as versions
inner join {{ ref("stg_runs") }} as runs on versions.run_id = runs.run_id and versions.organisation_id = runs.organisation_id

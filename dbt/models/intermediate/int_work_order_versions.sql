with
    lives as (
        select organisation_id, work_order_id, max(version_number) as first_version_number
        from {{ ref("stg_work_order_versions") }}
        where cause = 'new_life'
        group by organisation_id, work_order_id
    ),
    run_readings as (
        select organisation_id, run_id, min(read_at) as read_at
        from {{ ref("stg_readings") }}
        where endpoint = 'work_orders'
        group by organisation_id, run_id
    ),
    previous_readings as (
        select runs.organisation_id, runs.run_id, max(earlier.read_at) as previous_read_at
        from run_readings as runs
        inner join {{ ref("stg_readings") }} as earlier on runs.organisation_id = earlier.organisation_id and runs.read_at > earlier.read_at
        where earlier.endpoint = 'work_orders' and earlier.kind = 'sync' and earlier.status = 'ok'
        group by runs.organisation_id, runs.run_id
    ),
    present_life as (
        select
            versions.*, previous_readings.previous_read_at, coalesce(versions.status in ('DONE', 'CANCELED', 'SKIPPED'), false) as is_closed
        from {{ ref("stg_work_order_versions") }} as versions
        left join lives on versions.organisation_id = lives.organisation_id and versions.work_order_id = lives.work_order_id
        left join
            previous_readings on versions.organisation_id = previous_readings.organisation_id and versions.run_id = previous_readings.run_id
        where not versions.is_deleted and versions.version_number >= coalesce(lives.first_version_number, 0)
    )
select
    organisation_id,
    work_order_id,
    version_number,
    run_id,
    observed_at,
    lead(observed_at) over by_order as next_observed_at,
    previous_read_at,
    updated_at,
    status,
    is_closed,
    lag(version_number) over by_order as previous_version_number,
    lag(status) over by_order as previous_status,
    lag(is_closed) over by_order as was_closed,
    completed_at,
    due_at,
    is_due_full_day
from present_life
window by_order as (partition by organisation_id, work_order_id order by version_number asc nulls last)

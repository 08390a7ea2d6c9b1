with
    lives as (
        select organisation_id, work_order_id, max(version_number) as first_version_number
        from {{ ref("stg_work_order_versions") }}
        where cause = 'new_life'
        group by organisation_id, work_order_id
    ),
    present_life as (
        select versions.*, readings.previous_read_at, coalesce(versions.status in ('DONE', 'CANCELED', 'SKIPPED'), false) as is_closed
        from {{ ref("stg_work_order_versions") }} as versions
        left join lives on versions.organisation_id = lives.organisation_id and versions.work_order_id = lives.work_order_id
        left join
            {{ ref("int_work_order_readings") }} as readings
            on versions.organisation_id = readings.organisation_id
            and versions.run_id = readings.run_id
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
    is_due_full_day,
    start_at,
    estimated_seconds,
    part_status,
    parts_availability
from present_life
window by_order as (partition by organisation_id, work_order_id order by version_number asc nulls last)

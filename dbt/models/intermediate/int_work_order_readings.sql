with
    instants as (
        select
            organisation_id,
            read_at,
            max(case when kind = 'sync' and status = 'ok' then read_at end) as synced_at,
            max(case when kind = 'reconcile' and status = 'ok' then read_at end) as reconciled_at
        from {{ ref("stg_readings") }}
        where endpoint = 'work_orders'
        group by organisation_id, read_at
    ),
    earlier as (
        select
            organisation_id,
            read_at,
            max(synced_at) over by_time as previous_read_at,
            max(reconciled_at) over by_time as previous_reconciled_at
        from instants
        window by_time as (partition by organisation_id order by read_at asc nulls last rows between unbounded preceding and 1 preceding)
    ),
    run_readings as (
        select organisation_id, run_id, min(read_at) as read_at
        from {{ ref("stg_readings") }}
        where endpoint = 'work_orders'
        group by organisation_id, run_id
    )
select
    runs.organisation_id,
    runs.run_id,
    runs.known_from,
    coalesce(runs.finished_at, runs.known_from) as read_by,
    run_readings.read_at,
    earlier.previous_read_at,
    earlier.previous_reconciled_at
from {{ ref("stg_runs") }} as runs
left join run_readings on runs.organisation_id = run_readings.organisation_id and runs.run_id = run_readings.run_id
left join earlier on run_readings.organisation_id = earlier.organisation_id and run_readings.read_at = earlier.read_at

select readings.organisation_id, {{ local_date("min(runs.known_from)", "'UTC'") }} as known_on
from {{ ref("stg_readings") }} as readings
inner join {{ ref("stg_runs") }} as runs on readings.organisation_id = runs.organisation_id and readings.run_id = runs.run_id
where readings.endpoint = 'work_orders' and readings.kind = 'sync' and readings.status = 'ok'
group by readings.organisation_id

select endpoints.run_id, endpoints.organisation_id, endpoints.endpoint, endpoints.kind, endpoints.status, endpoints.read_at
from {{ source("ops", "endpoint_runs") }} as endpoints
inner join {{ ref("stg_runs") }} as runs on endpoints.run_id = runs.run_id and endpoints.organisation_id = runs.organisation_id

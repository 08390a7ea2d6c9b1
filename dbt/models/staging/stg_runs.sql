select run_id, organisation_id, kind, status, started_at, finished_at, known_from
from {{ source("ops", "runs") }}
where known_from <= {{ known_at() }}

select
    kpi,
    scope_type,
    scope_id,
    period_grain,
    period_start_on,
    value,
    numerator,
    denominator,
    window_state,
    definition_version,
    version,
    known_at
from {{ source("ops", "kpi_reported") }}
where known_at <= {{ known_at() }}

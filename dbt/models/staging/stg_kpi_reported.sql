select
    kpi,
    organisation_id,
    site_id,
    scope_type,
    scope_id,
    period_grain,
    period_start_on,
    value,
    numerator,
    denominator,
    n,
    reason,
    window_state,
    definition_version,
    version,
    known_at
from {{ source("ops", "kpi_reported") }}
where known_at <= {{ known_at() }}

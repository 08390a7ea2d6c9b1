select organisation_id, site_id, kpi, target from {{ source("ops", "kpi_targets") }}

select
    site_id,
    organisation_id,
    organisation_name,
    site_name,
    time_zone,
    organisation_time_zone,
    currency,
    root_location_id,
    crew_hours_per_week,
    is_unassigned
from {{ source("ops", "sites") }}

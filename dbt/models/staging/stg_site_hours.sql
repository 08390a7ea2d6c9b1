select organisation_id, site_id, weekday, starts_second, ends_second from {{ source("ops", "site_hours") }}

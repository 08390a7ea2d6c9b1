select organisation_id, site_id, holiday_on from {{ source("ops", "site_holidays") }}

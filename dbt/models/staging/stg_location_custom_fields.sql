select organisation_id, id as location_id, position, label, value
from ({{ latest_children("location_custom_fields", "stg_locations", "location_id", ["label", "value"]) }}) as latest

select organisation_id, id as asset_id, position, label, value
from ({{ latest_children("asset_custom_fields", "stg_assets", "asset_id", ["label", "value"]) }}) as latest

select organisation_id, id as asset_id, position, label as asset_type
from ({{ latest_children("asset_types", "stg_assets", "asset_id", ["label"]) }}) as latest

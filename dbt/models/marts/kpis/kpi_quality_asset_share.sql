{{ quality_share("asset_id is not null") }}

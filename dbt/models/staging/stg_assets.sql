select
    organisation_id,
    id as asset_id,
    name as asset_name,
    description,
    parent_id as parent_asset_id,
    criticality_id,
    location_id,
    serial_number,
    manufacturer,
    model,
    created_at,
    updated_at,
    creator_id,
    version_number,
    content_hash,
    run_id,
    observed_at
from
    (
        {{
            latest_versions(
                "assets",
                [
                    "organisation_id",
                    "id",
                    "version_number",
                    "content_hash",
                    "run_id",
                    "observed_at",
                    "name",
                    "description",
                    "parent_id",
                    "criticality_id",
                    "location_id",
                    "serial_number",
                    "manufacturer",
                    "model",
                    "created_at",
                    "updated_at",
                    "creator_id",
                ],
            )
        }}
    ) as latest

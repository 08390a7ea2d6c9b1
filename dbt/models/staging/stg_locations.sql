select
    organisation_id,
    id as location_id,
    name as location_name,
    description,
    address,
    parent_id as parent_location_id,
    created_at,
    updated_at,
    version_number,
    content_hash,
    run_id,
    observed_at
from
    (
        {{
            latest_versions(
                "locations",
                [
                    "organisation_id",
                    "id",
                    "version_number",
                    "content_hash",
                    "run_id",
                    "observed_at",
                    "name",
                    "description",
                    "address",
                    "parent_id",
                    "created_at",
                    "updated_at",
                ],
            )
        }}
    ) as latest

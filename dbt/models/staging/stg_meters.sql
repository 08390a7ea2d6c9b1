select
    organisation_id,
    id as meter_id,
    name as meter_name,
    unit,
    measurement_type,
    asset_id,
    location_id,
    last_reading_value,
    last_reading_at,
    version_number,
    content_hash,
    run_id,
    observed_at
from
    (
        {{
            latest_versions(
                "meters",
                [
                    "organisation_id",
                    "id",
                    "version_number",
                    "content_hash",
                    "run_id",
                    "observed_at",
                    "name",
                    "unit",
                    "measurement_type",
                    "asset_id",
                    "location_id",
                    "last_reading_value",
                    "last_reading_at",
                ],
            )
        }}
    ) as latest

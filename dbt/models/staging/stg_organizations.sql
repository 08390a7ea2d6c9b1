select organisation_id, id, name as organisation_name, time_zone, currency, version_number, content_hash, run_id, observed_at
from
    (
        {{
            latest_versions(
                "organizations",
                ["organisation_id", "id", "version_number", "content_hash", "run_id", "observed_at", "name", "time_zone", "currency"],
            )
        }}
    ) as latest

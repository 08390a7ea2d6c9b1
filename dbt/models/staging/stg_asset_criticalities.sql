select
    organisation_id,
    id as criticality_id,
    label as criticality,
    level as criticality_level,
    version_number,
    content_hash,
    run_id,
    observed_at
from
    (
        {{
            latest_versions(
                "asset_criticalities",
                ["organisation_id", "id", "version_number", "content_hash", "run_id", "observed_at", "label", "level"],
            )
        }}
    ) as latest

select
    organisation_id,
    id as user_id,
    role,
    version_number,
    content_hash,
    run_id,
    observed_at,
    trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) as user_name
from
    (
        {{
            latest_versions(
                "users",
                ["organisation_id", "id", "version_number", "content_hash", "run_id", "observed_at", "first_name", "last_name", "role"],
                are_deleted=true,
            )
        }}
    ) as latest

select organisation_id, id as category_id, label as category_name, description, version_number, content_hash, run_id, observed_at
from
    (
        {{
            latest_versions(
                "categories", ["organisation_id", "id", "version_number", "content_hash", "run_id", "observed_at", "label", "description"]
            )
        }}
    ) as latest

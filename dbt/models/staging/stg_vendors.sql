select organisation_id, id as vendor_id, name as vendor_name, version_number, content_hash, run_id, observed_at
from
    (
        {{ latest_versions("vendors", ["organisation_id", "id", "version_number", "content_hash", "run_id", "observed_at", "name"]) }}
    ) as latest

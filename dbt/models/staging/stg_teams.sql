select organisation_id, id as team_id, name as team_name, version_number, content_hash, run_id, observed_at
from
    ({{ latest_versions("teams", ["organisation_id", "id", "version_number", "content_hash", "run_id", "observed_at", "name"]) }}) as latest

select organisation_id, id as team_id, position, user_id, team_role
from ({{ latest_children("team_members", "stg_teams", "team_id", ["user_id", "team_role"]) }}) as latest

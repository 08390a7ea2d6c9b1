select organisation_id, team_id, team_name from {{ ref("stg_teams") }}

select organisation_id, work_order_id, assignee_id as team_id
from {{ ref("stg_work_order_assignees") }}
where assignee_type = 'TEAM' and assignee_id is not null
union distinct
select assignees.organisation_id, assignees.work_order_id, members.team_id
from {{ ref("stg_work_order_assignees") }} as assignees
inner join
    {{ ref("stg_team_members") }} as members
    on assignees.organisation_id = members.organisation_id
    and assignees.assignee_id = members.user_id
where assignees.assignee_type = 'USER'

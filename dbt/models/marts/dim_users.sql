with
    referenced as (
        select organisation_id, assignee_id as user_id
        from {{ ref("stg_work_order_assignees") }}
        where assignee_type = 'USER' and assignee_id is not null
        union distinct
        select organisation_id, user_id
        from {{ ref("stg_work_order_time_items") }}
        where user_id is not null
    )
select organisation_id, user_id, user_name, role, true as is_active
from {{ ref("stg_users") }}
union all
select organisation_id, user_id, user_name, role, false as is_active
from {{ ref("stg_former_users") }}
union all
select
    referenced.organisation_id,
    referenced.user_id,
    '(unknown user ' || cast(referenced.user_id as {{ dbt.type_string() }}) || ')' as user_name,
    null as role,
    false as is_active
from referenced
left join {{ ref("stg_users") }} as users on referenced.organisation_id = users.organisation_id and referenced.user_id = users.user_id
left join
    {{ ref("stg_former_users") }} as former on referenced.organisation_id = former.organisation_id and referenced.user_id = former.user_id
where users.user_id is null and former.user_id is null

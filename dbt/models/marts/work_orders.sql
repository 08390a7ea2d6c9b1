with
    assignees as (
        select
            links.organisation_id,
            links.work_order_id,
            {{ joined_text("coalesce(teams.team_name, users.user_name, '(unknown)')") }} as assignee_names
        from {{ ref("stg_work_order_assignees") }} as links
        left join
            {{ ref("dim_users") }} as users
            on links.organisation_id = users.organisation_id
            and links.assignee_id = users.user_id
            and links.assignee_type = 'USER'
        left join
            {{ ref("dim_teams") }} as teams
            on links.organisation_id = teams.organisation_id
            and links.assignee_id = teams.team_id
            and links.assignee_type = 'TEAM'
        group by links.organisation_id, links.work_order_id
    ),
    categories as (
        select organisation_id, work_order_id, {{ joined_text("category_name") }} as category_names
        from {{ ref("stg_work_order_categories") }}
        group by organisation_id, work_order_id
    )
select
    orders.organisation_id,
    orders.work_order_id,
    orders.sequential_id as number,
    orders.title,
    orders.status,
    case
        orders.status
        when 'OPEN'
        then 1
        when 'IN_PROGRESS'
        then 2
        when 'ON_HOLD'
        then 3
        when 'DONE'
        then 4
        when 'SKIPPED'
        then 5
        when 'CANCELED'
        then 6
        else 7
    end as status_rank,
    orders.priority,
    case orders.priority when 'HIGH' then 1 when 'MEDIUM' then 2 when 'LOW' then 3 when 'NONE' then 4 else 5 end as priority_rank,
    orders.type,
    orders.site_id,
    sites.site_name,
    sites.organisation_name,
    assets.asset_name,
    assets.asset_path,
    orders.location_path,
    assignees.assignee_names,
    categories.category_names,
    orders.created_at,
    orders.due_at,
    orders.completed_at,
    orders.created_on,
    orders.due_on,
    orders.completed_on,
    orders.lead_hours,
    case
        when orders.is_active and orders.due_at < {{ as_of() }} then {{ hours_between("orders.due_at", as_of()) }} / 24
    end as days_overdue,
    {{ hours("orders.labour_seconds") }} as labour_hours,
    {{ ratio("orders.parts_cost_cents + orders.labour_cost_cents + orders.other_cost_cents", "100") }} as cost_amount,
    orders.currency,
    coalesce(orders.is_active and orders.due_at < {{ as_of() }}, false) as is_overdue,
    'https://app.getmaintainx.com/workorders/' || cast(orders.work_order_id as {{ dbt.type_string() }}) as maintainx_url
from {{ ref("int_work_orders") }} as orders
left join {{ ref("dim_sites") }} as sites on orders.site_id = sites.site_id
left join {{ ref("dim_assets") }} as assets on orders.organisation_id = assets.organisation_id and orders.asset_id = assets.asset_id
left join assignees on orders.organisation_id = assignees.organisation_id and orders.work_order_id = assignees.work_order_id
left join categories on orders.organisation_id = categories.organisation_id and orders.work_order_id = categories.work_order_id

{% set states = ["upcoming", "overdue", "age_0_7", "age_8_30", "age_31_90", "age_over_90", "ready"] -%}
with
    moves as (
        select organisation_id, site_id, cut_id, state, planned_seconds, own_estimates, entered_on as measured_on, 1 as change
        from {{ ref("int_backlog_stays") }}
        where state != 'shown'
        union all
        select organisation_id, site_id, cut_id, state, planned_seconds, own_estimates, left_on as measured_on, -1 as change
        from {{ ref("int_backlog_stays") }}
        where state != 'shown' and left_on is not null
    )
select
    organisation_id,
    site_id,
    cut_id,
    measured_on,
    sum(case when state = 'backlog' then change else 0 end) as orders,
    sum(case when state = 'backlog' and change = 1 then 1 else 0 end) as opened,
    sum(case when state = 'backlog' and change = -1 then 1 else 0 end) as closed,
    sum(case when state = 'backlog' then change * coalesce(planned_seconds, 0) else 0 end) as planned_seconds,
    sum(case when state = 'backlog' and planned_seconds is not null then change else 0 end) as planned_orders,
    sum(case when state = 'backlog' then change * own_estimates else 0 end) as own_estimates,
    {%- for state in states %} sum(case when state = '{{ state }}' then change else 0 end) as {{ state }}, {%- endfor %}
    sum(case when state = 'ready' then change * planned_seconds else 0 end) as ready_seconds
from moves
group by organisation_id, site_id, cut_id, measured_on

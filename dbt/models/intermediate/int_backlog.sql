{% set measures = ["orders", "upcoming", "overdue", "planned_seconds", "planned_orders", "own_estimates"] %}
with
    queued as (
        select
            organisation_id,
            site_id,
            cut_id,
            time_zone,
            created_at,
            closed_at,
            {{ later_of("created_at", just_after("due_at")) }} as overdue_at,
            case when start_at > created_at and (closed_at is null or start_at < closed_at) then start_at else closed_at end as released_at,
            coalesce(start_at > created_at, false) as is_generated_ahead,
            planned_seconds,
            case when planned_seconds is null then 0 else 1 end as planned_orders,
            case when estimated_seconds is null then 0 else 1 end as own_estimates
        from {{ ref("fct_work_orders") }}
        where created_at <= {{ as_of() }} and (closed_at is null or closed_at > created_at)
    ),
    moves as (
        select *, created_at as moved_at, 1 as orders, 0 as upcoming, 0 as overdue
        from queued
        union all
        select *, closed_at as moved_at, -1 as orders, 0 as upcoming, 0 as overdue
        from queued
        union all
        select *, created_at as moved_at, 0 as orders, 1 as upcoming, 0 as overdue
        from queued
        where is_generated_ahead
        union all
        select *, released_at as moved_at, 0 as orders, -1 as upcoming, 0 as overdue
        from queued
        where is_generated_ahead
        union all
        select *, overdue_at as moved_at, 0 as orders, 0 as upcoming, 1 as overdue
        from queued
        where closed_at is null or overdue_at < closed_at
        union all
        select *, closed_at as moved_at, 0 as orders, 0 as upcoming, -1 as overdue
        from queued
        where overdue_at < closed_at and overdue_at <= {{ as_of() }}
    ),
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            {{ local_date(just_before("moved_at"), "time_zone") }} as measured_on,
            sum(orders) as orders,
            sum(upcoming) as upcoming,
            sum(overdue) as overdue,
            sum(orders * planned_seconds) as planned_seconds,
            sum(orders * planned_orders) as planned_orders,
            sum(orders * own_estimates) as own_estimates
        from moves
        where moved_at <= {{ as_of() }}
        group by organisation_id, site_id, cut_id, measured_on
    ),
    standing as ({{ states_by_period("daily", measures) }})
select
    organisation_id, scope_type, scope_id, site_id, period_grain, period_start_on {%- for measure in measures %}, {{ measure }}{% endfor %}
from standing
where scope_type in ('organisation', 'site') or orders > 0

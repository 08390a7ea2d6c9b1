{% set measures = [
    "orders",
    "upcoming",
    "overdue",
    "planned_seconds",
    "planned_orders",
    "own_estimates",
    "age_0_7",
    "age_8_30",
    "age_31_90",
    "age_over_90",
    "ready",
    "ready_seconds",
] -%}
with standing as ({{ states_by_period(ref("int_backlog_moves"), measures) }})
select
    standing.organisation_id,
    standing.scope_type,
    standing.scope_id,
    standing.site_id,
    standing.period_grain,
    standing.period_start_on
    {%- for measure in measures %}, standing.{{ measure }}{% endfor %},
    case when standing.is_open or standing.period_end_on > first_readings.known_on then 1 else 0 end as seen
from standing
left join {{ ref("int_first_readings") }} as first_readings on standing.organisation_id = first_readings.organisation_id
where standing.scope_type in ('organisation', 'site') or standing.orders > 0

-- Weeks and months are two cuts of the same orders: each totals the orders between its first and its last day.
with
    ranges as (
        select organisation_id, kpi, period_grain, min(period_start_on) as first_on, max(period_end_on) as last_on, sum(n) as orders
        from {{ ref("kpis") }}
        where scope_type = 'organisation' and kpi in ('created', 'completed') and reason is null
        group by organisation_id, kpi, period_grain
    ),
    happened as (
        select organisation_id, 'created' as kpi, created_on as happened_on
        from {{ ref("fct_work_orders") }}
        union all
        select organisation_id, 'completed' as kpi, completed_on as happened_on
        from {{ ref("fct_work_orders") }}
        where is_completed
    )
select ranges.organisation_id, ranges.kpi, ranges.period_grain, ranges.orders, count(happened.kpi) as happened_orders
from ranges
left join
    happened
    on ranges.organisation_id = happened.organisation_id
    and ranges.kpi = happened.kpi
    and happened.happened_on between ranges.first_on and ranges.last_on
group by ranges.organisation_id, ranges.kpi, ranges.period_grain, ranges.orders
having ranges.orders != count(happened.kpi)

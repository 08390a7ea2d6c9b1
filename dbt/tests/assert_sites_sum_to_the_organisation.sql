-- What happened at an organisation is what happened at its sites, in every period, for every KPI that counts orders. In an open
-- period a site may not have reached, the backlog of that site is in the organisation's row alone.
select organisation_id, kpi, period_grain, period_start_on
from {{ ref("kpis") }}
where unit = 'orders'
group by organisation_id, kpi, period_grain, period_start_on
having
    sum(case when scope_type = 'organisation' then n else 0 end) != sum(case when scope_type = 'site' then n else 0 end)
    and (kpi in ('created', 'completed') or max(case when window_state = 'open' then 1 else 0 end) = 0)

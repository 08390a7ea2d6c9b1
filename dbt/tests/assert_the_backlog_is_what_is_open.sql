-- Running sums of what entered and left give, at as_of, the very orders that are open then.
with
    counted as (
        select organisation_id, count(*) as orders
        from {{ ref("fct_work_orders") }}
        where created_at <= {{ as_of() }} and (closed_at is null or closed_at > {{ as_of() }})
        group by organisation_id
    ),
    newest as (
        select
            organisation_id,
            n,
            row_number() over (partition by organisation_id, period_grain order by period_start_on desc nulls last) as newest_rank
        from {{ ref("kpis") }}
        where kpi = 'backlog_count' and scope_type = 'organisation' and reason is null
    )
select newest.organisation_id, newest.n, counted.orders
from newest
left join counted on newest.organisation_id = counted.organisation_id
where newest.newest_rank = 1 and newest.n != coalesce(counted.orders, 0)

-- No join drops or doubles an order: the facts are the live orders of the log, one row each.
with
    facts as (
        select organisation_id, count(*) as orders, cast(sum(work_order_id) as bigint) as ids
        from {{ ref("fct_work_orders") }}
        group by organisation_id
    ),
    live as (
        select organisation_id, count(*) as orders, cast(sum(work_order_id) as bigint) as ids
        from {{ ref("stg_work_orders") }}
        group by organisation_id
    )
select live.organisation_id, live.orders, facts.orders as facts
from live
full outer join facts on live.organisation_id = facts.organisation_id
where live.orders is distinct from facts.orders or live.ids is distinct from facts.ids

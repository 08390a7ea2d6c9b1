-- Labour seconds of the facts are those of the latest versions in raw, to the second.
with
    facts as (
        select organisation_id, cast(sum(labour_seconds) as bigint) as labour_seconds
        from {{ ref("fct_work_orders") }}
        group by organisation_id
    ),
    logged as (
        select organisation_id, cast(sum(duration_seconds) as bigint) as labour_seconds
        from {{ ref("stg_work_order_time_items") }}
        group by organisation_id
    )
select facts.organisation_id, facts.labour_seconds, logged.labour_seconds as logged_seconds
from facts
left join logged on facts.organisation_id = logged.organisation_id
where facts.labour_seconds != coalesce(logged.labour_seconds, 0)

{# A tenth of the interval either way, but never less than a shift of 8 hours. -#}
{% set tolerance = "cast(floor(interval_seconds / 10e0) as bigint)" %}
with recursive
    recurring as (
        select
            orders.organisation_id,
            orders.work_order_id,
            orders.site_id,
            orders.cut_id,
            orders.is_completed and orders.completed_at is not null as is_done,
            orders.completed_at,
            orders.completed_on,
            records.previous_id,
            records.recurrence_type,
            {{
                recurrence_seconds(
                    "records.recurrence_type",
                    "records.recurrence_interval",
                    "records.recurrence_days",
                    "coalesce(orders.due_on, orders.created_on)",
                )
            }} as interval_seconds
        from {{ ref("int_work_orders") }} as orders
        inner join
            {{ ref("stg_work_orders") }} as records
            on orders.organisation_id = records.organisation_id
            and orders.work_order_id = records.work_order_id
        where orders.type = 'PREVENTIVE'
    ),
    walk as (
        select organisation_id, work_order_id, previous_id as predecessor_id
        from recurring
        where is_done and previous_id < work_order_id
        union all
        select walk.organisation_id, walk.work_order_id, predecessors.previous_id as predecessor_id
        from walk
        inner join
            recurring as predecessors
            on walk.organisation_id = predecessors.organisation_id
            and walk.predecessor_id = predecessors.work_order_id
        where not predecessors.is_done and predecessors.previous_id < predecessors.work_order_id
    ),
    followed as (
        select walk.organisation_id, walk.work_order_id, walk.predecessor_id, predecessors.completed_at as predecessor_completed_at
        from walk
        inner join
            recurring as predecessors
            on walk.organisation_id = predecessors.organisation_id
            and walk.predecessor_id = predecessors.work_order_id
            and predecessors.is_done
    ),
    measured as (
        select
            recurring.*,
            followed.predecessor_id,
            followed.predecessor_completed_at,
            {{ seconds_between("followed.predecessor_completed_at", "recurring.completed_at") }} as actual_seconds
        from recurring
        left join followed on recurring.organisation_id = followed.organisation_id and recurring.work_order_id = followed.work_order_id
    ),
    judged as (select *, case when {{ tolerance }} < 28800 then 28800 else {{ tolerance }} end as tolerance_seconds from measured)
select
    organisation_id,
    work_order_id,
    site_id,
    cut_id,
    is_done,
    completed_at,
    completed_on,
    recurrence_type,
    interval_seconds,
    predecessor_id,
    predecessor_completed_at,
    actual_seconds,
    actual_seconds between interval_seconds - tolerance_seconds and interval_seconds + tolerance_seconds as is_within_interval
from judged

{# What a share of the interval allows, in whole seconds; the larger share is capped at 28 days. -#}
{% set tenth = "cast(floor(intervals.interval_seconds / 10e0) as bigint)" %}
{% set fifth = "cast(floor(intervals.interval_seconds / 5e0) as bigint)" %}
with
    dated as (
        select
            orders.organisation_id,
            orders.work_order_id,
            orders.site_id,
            orders.cut_id,
            orders.asset_id,
            orders.title,
            orders.status,
            orders.is_active,
            orders.is_completed,
            orders.created_at,
            orders.start_at,
            orders.original_due_at,
            orders.original_due_on,
            orders.due_at,
            orders.due_on,
            orders.completed_at,
            orders.completed_on,
            orders.closed_at,
            intervals.recurrence_type,
            intervals.interval_seconds,
            intervals.predecessor_id,
            {{ plus_seconds("orders.original_due_at", 86400) }} as deadline_1_day_at,
            {{ seconds_after("orders.original_due_at", tenth) }} as deadline_10_percent_at,
            {{ seconds_after("orders.original_due_at", "case when " ~ fifth ~ " > 2419200 then 2419200 else " ~ fifth ~ " end") }}
            as deadline_20_percent_at,
            coalesce(pushes.due_push_count, 0) as due_push_count,
            pushes.first_pushed_at,
            pushes.last_pushed_at
        from {{ ref("fct_work_orders") }} as orders
        left join
            {{ ref("int_pm_intervals") }} as intervals
            on orders.organisation_id = intervals.organisation_id
            and orders.work_order_id = intervals.work_order_id
        left join
            {{ ref("int_pm_due_pushes") }} as pushes
            on orders.organisation_id = pushes.organisation_id
            and orders.work_order_id = pushes.work_order_id
        where orders.type = 'PREVENTIVE' and orders.original_due_at is not null
    )
select
    organisation_id,
    work_order_id,
    site_id,
    cut_id,
    asset_id,
    title,
    status,
    created_at,
    start_at,
    original_due_at,
    original_due_on,
    due_at,
    due_on,
    completed_at,
    completed_on,
    closed_at,
    case
        when status = 'CANCELED'
        then 'canceled'
        when original_due_at > {{ as_of() }}
        then 'not_yet_due'
        when is_completed and completed_at <= original_due_at
        then 'on_time'
        when is_completed
        then 'late'
        when status = 'SKIPPED'
        then 'skipped'
        else 'missed'
    end as outcome,
    recurrence_type,
    interval_seconds,
    interval_seconds / 86400e0 as interval_days,
    predecessor_id,
    deadline_1_day_at,
    deadline_10_percent_at,
    deadline_20_percent_at,
    coalesce(is_completed and completed_at <= original_due_at, false) as is_on_time,
    coalesce(is_completed and completed_at <= deadline_1_day_at, false) as is_within_1_day,
    case
        when deadline_10_percent_at is not null then coalesce(is_completed and completed_at <= deadline_10_percent_at, false)
    end as is_within_10_percent,
    case
        when deadline_20_percent_at is not null then coalesce(is_completed and completed_at <= deadline_20_percent_at, false)
    end as is_within_20_percent,
    due_push_count,
    first_pushed_at,
    last_pushed_at,
    case when due_push_count > 0 then {{ seconds_between("original_due_at", "due_at") }} end as pushed_seconds,
    coalesce(start_at > created_at, false) as is_generated_ahead,
    {{ seconds_between("created_at", "original_due_at") }} / 86400.0 as days_ahead,
    case
        when is_completed and completed_at > original_due_at
        then {{ seconds_between("original_due_at", "completed_at") }} / 86400.0
        when is_active and original_due_at < {{ as_of() }}
        then {{ seconds_between("original_due_at", as_of()) }} / 86400.0
    end as days_late
from dated

select
    organisation_id,
    work_order_id,
    site_id,
    cut_id,
    asset_id,
    title,
    status,
    original_due_at,
    original_due_on,
    due_at,
    due_on,
    completed_at,
    completed_on,
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
    coalesce(is_completed and completed_at <= original_due_at, false) as is_on_time,
    coalesce(is_completed and completed_at <= {{ plus_seconds("original_due_at", 86400) }}, false) as is_within_1_day,
    case
        when is_completed and completed_at > original_due_at
        then {{ seconds_between("original_due_at", "completed_at") }} / 86400.0
        when is_active and original_due_at < {{ as_of() }}
        then {{ seconds_between("original_due_at", as_of()) }} / 86400.0
    end as days_late
from {{ ref("fct_work_orders") }}
where type = 'PREVENTIVE' and original_due_at is not null

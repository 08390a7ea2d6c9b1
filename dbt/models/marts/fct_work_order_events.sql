{# what happened, when it stands in a version, from what to what (text or instants), and the instant if the record tells it -#}
{% set text = dbt.type_string() %}
{% set nothing = "cast(null as " ~ text ~ ")" %}
{% set kinds = [
    ("1", "'created'", "previous_version_number is null and not is_deleted", nothing, "status", none, none, "created_at"),
    (
        "2",
        "'undeleted'",
        "was_deleted and previous_version_number is not null and not is_deleted",
        nothing,
        nothing,
        none,
        none,
        none,
    ),
    (
        "3",
        "status_event",
        "not is_deleted and (status is distinct from previous_status) and (previous_version_number is not null or is_closed)",
        "previous_status",
        "status",
        none,
        none,
        "case when status = 'DONE' then completed_at end",
    ),
    (
        "4",
        "'completion_moved'",
        "not is_deleted and status = 'DONE' and previous_status = 'DONE' and completed_at is distinct from previous_completed_at",
        nothing,
        nothing,
        "previous_completed_at",
        "completed_at",
        none,
    ),
    (
        "5",
        "due_event",
        "not is_deleted and previous_version_number is not null and due_at is distinct from previous_due_at",
        nothing,
        nothing,
        "previous_due_at",
        "due_at",
        none,
    ),
    (
        "6",
        "'reassigned'",
        "not is_deleted and previous_version_number is not null and assignees != previous_assignees",
        "previous_assignees",
        "assignees",
        none,
        none,
        none,
    ),
    (
        "7",
        "'priority_changed'",
        "not is_deleted and previous_version_number is not null and priority is distinct from previous_priority",
        "previous_priority",
        "priority",
        none,
        none,
        none,
    ),
    ("8", "'deleted'", "is_deleted and not was_deleted", nothing, nothing, none, none, none),
] -%}
with
    changes as (
        select
            *,
            coalesce(status in ('DONE', 'CANCELED', 'SKIPPED'), false) as is_closed,
            case
                when status = 'DONE'
                then 'completed'
                when status = 'CANCELED'
                then 'canceled'
                when status = 'SKIPPED'
                then 'skipped'
                when previous_status in ('DONE', 'CANCELED', 'SKIPPED')
                then 'reopened'
                when status = 'ON_HOLD'
                then 'held'
                when previous_status = 'ON_HOLD'
                then 'resumed'
                else 'status_changed'
            end as status_event,
            case
                when previous_due_at is null
                then 'due_date_set'
                when due_at is null
                then 'due_date_removed'
                when due_at > previous_due_at
                then 'due_date_pushed'
                else 'due_date_pulled'
            end as due_event,
            case
                when is_deleted and was_active and previous_reconciled_at > prior_seen_at
                then previous_reconciled_at
                when is_deleted or was_deleted
                then prior_seen_at
                when previous_version_number is null
                then created_at
                when updated_at > previous_read_at and previous_read_at > seen_at
                then previous_read_at
                else seen_at
            end as unseen_from
        from {{ ref("int_work_order_changes") }}
        where cause != 'shape'
    ),
    events as (
        {% for rank, event, condition, from_value, to_value, from_at, to_at, told_at in kinds %}
            select
                organisation_id,
                work_order_id,
                life_number,
                version_number,
                previous_version_number,
                run_id,
                known_from,
                read_by,
                unseen_from,
                updated_at,
                {{ rank }} as event_rank,
                {{ event }} as event,
                {{ from_value }} as from_value,
                {{ to_value }} as to_value,
                {{ from_at or "case when false then due_at end" }} as from_at,
                {{ to_at or "case when false then due_at end" }} as to_at,
                {{ told_at or "case when false then due_at end" }} as told_at
            from changes
            where {{ condition }} {{ "union all" if not loop.last }}
        {% endfor %}
    ),
    zones as (
        select organisation_id, min(organisation_time_zone) as organisation_time_zone from {{ ref("dim_sites") }} group by organisation_id
    )
select
    events.organisation_id,
    events.work_order_id,
    row_number() over (
        partition by events.organisation_id, events.work_order_id
        order by events.version_number asc nulls last, events.event_rank asc nulls last
    ) as event_number,
    events.life_number,
    orders.site_id,
    orders.cut_id,
    events.event,
    events.from_value,
    events.to_value,
    events.from_at,
    events.to_at,
    {{ seconds_between("events.from_at", "events.to_at") }} as moved_seconds,
    {{
        days_between(
            local_date("events.from_at", "zones.organisation_time_zone"),
            local_date("events.to_at", "zones.organisation_time_zone"),
        )
    }} as moved_days,
    events.told_at as occurred_at,
    case when events.told_at is null then events.unseen_from end as occurred_after,
    case when events.told_at is null then events.read_by end as occurred_by,
    case when events.told_at is null then 'observed' else 'record' end as how_learnt,
    events.updated_at,
    events.known_from,
    events.previous_version_number as from_version_number,
    events.version_number as to_version_number,
    events.run_id
from events
left join zones on events.organisation_id = zones.organisation_id
left join
    {{ ref("int_work_orders") }} as orders
    on events.organisation_id = orders.organisation_id
    and events.work_order_id = orders.work_order_id

{% set values = ["version_number", "run_id", "status", "due_at", "is_due_full_day", "completed_at", "priority", "assignees"] %}
with
    assigned as (
        select
            organisation_id,
            work_order_id,
            version_number,
            {{ joined_text("assignee_type || ' ' || cast(assignee_id as " ~ dbt.type_string() ~ ")") }} as assignees
        from {{ ref("stg_work_order_assignee_versions") }}
        group by organisation_id, work_order_id, version_number
    ),
    versions as (
        select
            versions.*,
            coalesce(assigned.assignees, 'nobody') as assignees,
            1 + sum(case when versions.cause = 'new_life' then 1 else 0 end) over (
                partition by versions.organisation_id, versions.work_order_id
                order by versions.version_number asc nulls last
                rows unbounded preceding
            ) as life_number,
            lag(versions.version_number) over by_order as prior_version_number,
            lag(versions.run_id) over by_order as prior_run_id,
            lag(versions.is_deleted) over by_order as was_deleted,
            lag(versions.status) over by_order as prior_status
        from {{ ref("stg_work_order_versions") }} as versions
        left join
            assigned
            on versions.organisation_id = assigned.organisation_id
            and versions.work_order_id = assigned.work_order_id
            and versions.version_number = assigned.version_number
        window by_order as (partition by versions.organisation_id, versions.work_order_id order by versions.version_number asc nulls last)
    ),
    compared as (
        select
            *
            {%- for value in values %}
                ,
                lag({{ value }}) over (
                    partition by organisation_id, work_order_id, life_number, is_deleted order by version_number asc nulls last
                ) as previous_{{ value }}
            {%- endfor %}
        from versions
    )
select
    compared.organisation_id,
    compared.work_order_id,
    cast(compared.life_number as bigint) as life_number,
    compared.version_number,
    case when compared.is_deleted then compared.prior_version_number else compared.previous_version_number end as previous_version_number,
    compared.prior_version_number,
    compared.cause,
    compared.run_id,
    compared.is_deleted,
    coalesce(compared.was_deleted, false) as was_deleted,
    readings.known_from,
    readings.read_by,
    readings.read_at,
    readings.previous_read_at,
    readings.previous_reconciled_at,
    previous_readings.read_at as seen_at,
    prior_readings.read_at as prior_seen_at,
    compared.created_at,
    compared.updated_at,
    compared.asset_id,
    compared.location_id,
    coalesce(compared.prior_status in ('OPEN', 'IN_PROGRESS', 'ON_HOLD'), false) as was_active,
    compared.status,
    compared.due_at,
    compared.is_due_full_day,
    compared.completed_at,
    compared.priority,
    compared.assignees
    {%- for value in values[2:] %}
        , case when not compared.is_deleted then compared.previous_{{ value }} end as previous_{{ value }}
    {%- endfor %}
from compared
inner join
    {{ ref("int_work_order_readings") }} as readings
    on compared.organisation_id = readings.organisation_id
    and compared.run_id = readings.run_id
left join
    {{ ref("int_work_order_readings") }} as previous_readings
    on compared.organisation_id = previous_readings.organisation_id
    and compared.previous_run_id = previous_readings.run_id
left join
    {{ ref("int_work_order_readings") }} as prior_readings
    on compared.organisation_id = prior_readings.organisation_id
    and compared.prior_run_id = prior_readings.run_id

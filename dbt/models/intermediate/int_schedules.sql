with
    versions as (
        select
            versions.organisation_id,
            versions.work_order_id,
            versions.status,
            versions.due_at,
            versions.is_due_full_day,
            versions.start_at,
            readings.known_from,
            lead(readings.known_from) over (
                partition by versions.organisation_id, versions.work_order_id order by versions.version_number asc nulls last
            ) as next_known_from
        from {{ ref("int_work_order_versions") }} as versions
        inner join
            {{ ref("int_work_order_readings") }} as readings
            on versions.organisation_id = readings.organisation_id
            and versions.run_id = readings.run_id
    ),
    planned as (
        select
            versions.*,
            orders.site_id,
            orders.cut_id,
            orders.time_zone,
            orders.completed_on,
            orders.planned_seconds,
            orders.is_completed,
            orders.estimated_seconds,
            {{
                iso_week(
                    "coalesce("
                    ~ due_date("versions.due_at", "versions.is_due_full_day", "orders.organisation_time_zone", "orders.time_zone")
                    ~ ", "
                    ~ local_date("versions.start_at", "orders.time_zone")
                    ~ ")"
                )
            }} as week_start_on
        from versions
        inner join
            {{ ref("int_work_orders") }} as orders
            on versions.organisation_id = orders.organisation_id
            and versions.work_order_id = orders.work_order_id
        where
            coalesce(versions.status not in ('DONE', 'CANCELED', 'SKIPPED'), true)
            and coalesce(versions.due_at, versions.start_at) is not null
            and coalesce(orders.status, '') != 'CANCELED'
    ),
    weeks as (
        select
            time_zone,
            week_start_on,
            {{ wall_time(add_days("week_start_on", -3), 64800, "time_zone") }} as frozen_at,
            {{ local_midnight(add_days("week_start_on", 7), "time_zone") }} as ends_at
        from (select distinct time_zone, week_start_on from planned) as seen
    )
select
    planned.organisation_id,
    planned.site_id,
    planned.cut_id,
    planned.work_order_id,
    planned.week_start_on,
    weeks.frozen_at,
    planned.planned_seconds,
    planned.estimated_seconds is not null as has_own_estimate,
    coalesce(
        planned.is_completed and planned.completed_on between planned.week_start_on and {{ add_days("planned.week_start_on", 6) }}, false
    ) as is_done_in_week
from planned
inner join weeks on planned.time_zone = weeks.time_zone and planned.week_start_on = weeks.week_start_on
where
    planned.known_from <= weeks.frozen_at
    and (planned.next_known_from is null or planned.next_known_from > weeks.frozen_at)
    and weeks.ends_at <= {{ as_of() }}

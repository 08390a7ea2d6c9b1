with
    repairs as (
        select organisation_id, work_order_id
        from {{ ref("int_work_orders") }}
        where type = 'REACTIVE' and is_completed and completed_at is not null
    ),
    report_orders as (
        select
            reports.organisation_id,
            reports.rca_report_id,
            reports.repair_seconds,
            orders.work_order_id,
            row_number() over (
                partition by reports.organisation_id, reports.rca_report_id
                order by orders.completed_at asc nulls last, orders.work_order_id asc nulls last
            ) as order_rank
        from {{ ref("stg_rca_reports") }} as reports
        inner join
            {{ ref("stg_rca_report_work_orders") }} as links
            on reports.organisation_id = links.organisation_id
            and reports.rca_report_id = links.rca_report_id
        inner join
            {{ ref("int_work_orders") }} as orders
            on links.organisation_id = orders.organisation_id
            and links.work_order_id = orders.work_order_id
        where reports.archived_at is null and reports.repair_seconds > 0 and orders.is_completed and orders.completed_at is not null
    ),
    reported as (
        select organisation_id, work_order_id, cast(sum(repair_seconds) as bigint) as repair_seconds
        from report_orders
        where order_rank = 1
        group by organisation_id, work_order_id
    ),
    status_changes as (
        select
            versions.organisation_id,
            versions.work_order_id,
            versions.version_number,
            versions.previous_version_number is null as is_first,
            versions.status,
            versions.updated_at,
            coalesce(versions.updated_at <= {{ plus_seconds("versions.previous_read_at", 3600) }}, false) as is_pinned,
            lead(versions.status) over by_order as next_status,
            lead(versions.updated_at) over by_order as next_updated_at,
            lead(versions.completed_at) over by_order as next_completed_at
        from {{ ref("int_work_order_versions") }} as versions
        inner join repairs on versions.organisation_id = repairs.organisation_id and versions.work_order_id = repairs.work_order_id
        where versions.previous_version_number is null or versions.status is distinct from versions.previous_status
        window by_order as (partition by versions.organisation_id, versions.work_order_id order by versions.version_number asc nulls last)
    ),
    pieces as (
        select
            organisation_id,
            work_order_id,
            case when is_first then coalesce(status = 'OPEN', false) else is_pinned end as is_observed,
            case
                when status = 'IN_PROGRESS' and next_status = 'DONE'
                then {{ seconds_between("updated_at", "coalesce(next_completed_at, next_updated_at)") }}
                when status = 'IN_PROGRESS'
                then {{ seconds_between("updated_at", "next_updated_at") }}
            end as piece_seconds
        from status_changes
    ),
    observed as (
        select
            organisation_id, work_order_id, cast(sum(case when piece_seconds > 0 then piece_seconds else 0 end) as bigint) as repair_seconds
        from pieces
        group by organisation_id, work_order_id
        having min(case when is_observed then 1 else 0 end) = 1
    )
select
    repairs.organisation_id,
    repairs.work_order_id,
    coalesce(reported.repair_seconds, observed.repair_seconds) as repair_seconds,
    case when reported.repair_seconds is not null then 'rca' else 'status' end as repair_basis
from repairs
left join reported on repairs.organisation_id = reported.organisation_id and repairs.work_order_id = reported.work_order_id
left join
    observed
    on repairs.organisation_id = observed.organisation_id
    and repairs.work_order_id = observed.work_order_id
    and observed.repair_seconds > 0
where reported.repair_seconds is not null or observed.repair_seconds is not null

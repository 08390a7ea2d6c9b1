with
    told as (
        select
            requests.*,
            case
                when not requests.is_decided
                then null
                when requests.order_created_at >= requests.created_at
                then 'order'
                when decisions.first_decision in ('APPROVED', 'REJECTED') and decisions.was_waiting
                then 'observed'
                when decisions.first_decision = 'REJECTED'
                then 'record'
            end as decided_basis,
            decisions.first_decided_at
        from {{ ref("int_work_requests") }} as requests
        left join
            {{ ref("int_work_request_decisions") }} as decisions
            on requests.organisation_id = decisions.organisation_id
            and requests.work_request_id = decisions.work_request_id
    ),
    decided as (
        select
            *,
            case
                decided_basis when 'order' then order_created_at when 'observed' then first_decided_at when 'record' then first_decided_at
            end as decided_at
        from told
    )
select
    organisation_id,
    work_request_id,
    site_id,
    cut_id,
    title,
    priority,
    status,
    is_decided,
    is_rejected,
    asset_id,
    location_id,
    creator_id,
    work_order_id,
    created_at,
    created_on,
    decided_at,
    {{ local_date("decided_at", "time_zone") }} as decided_on,
    case when decided_at is not null then decided_basis end as decided_basis,
    case when decided_at >= created_at then {{ seconds_between("created_at", "decided_at") }} end as triage_seconds
from decided

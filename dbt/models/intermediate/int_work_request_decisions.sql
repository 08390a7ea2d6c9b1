with
    lives as (
        select organisation_id, work_request_id, max(version_number) as first_version_number
        from {{ ref("stg_work_request_versions") }}
        where cause = 'new_life'
        group by organisation_id, work_request_id
    ),
    present_life as (
        select versions.*, coalesce(versions.status in ('APPROVED', 'REJECTED', 'DONE'), false) as is_decided
        from {{ ref("stg_work_request_versions") }} as versions
        left join lives on versions.organisation_id = lives.organisation_id and versions.work_request_id = lives.work_request_id
        where not versions.is_deleted and versions.version_number >= coalesce(lives.first_version_number, 0)
    ),
    waiting as (
        select organisation_id, work_request_id, max(version_number) as last_version_number
        from present_life
        where not is_decided
        group by organisation_id, work_request_id
    ),
    decided as (
        select
            present_life.*,
            waiting.last_version_number is not null as was_waiting,
            row_number() over (
                partition by present_life.organisation_id, present_life.work_request_id order by present_life.version_number asc nulls last
            ) as decision_rank
        from present_life
        left join
            waiting on present_life.organisation_id = waiting.organisation_id and present_life.work_request_id = waiting.work_request_id
        where present_life.version_number > coalesce(waiting.last_version_number, 0)
    )
select organisation_id, work_request_id, status as first_decision, was_waiting, updated_at as first_decided_at
from decided
where decision_rank = 1

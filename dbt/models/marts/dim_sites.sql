with
    ranked as (
        select
            *,
            row_number() over (
                partition by organisation_id
                order by
                    is_unassigned desc nulls last,
                    case when root_location_id is null then 0 else 1 end asc nulls last,
                    site_id asc nulls last
            ) as default_rank
        from {{ ref("stg_sites") }}
    )
select
    site_id,
    organisation_id,
    organisation_name,
    site_name,
    time_zone,
    organisation_time_zone,
    currency,
    root_location_id,
    crew_hours_per_week,
    is_unassigned,
    default_rank = 1 as is_default
from ranked

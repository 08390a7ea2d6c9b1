select
    statuses.organisation_id,
    statuses.asset_id,
    places.site_id,
    cuts.cut_id,
    coalesce(assets.is_known, false) as is_known_asset,
    statuses.asset_status_id as piece_id,
    statuses.status,
    case statuses.downtime_type when 'PLANNED' then 'planned' when 'UNPLANNED' then 'unplanned' else 'unknown' end as downtime_type,
    statuses.started_at,
    case when statuses.ended_at <= {{ as_of() }} then statuses.ended_at end as ended_at
from {{ ref("stg_asset_statuses") }} as statuses
inner join
    {{ ref("int_status_places") }} as places
    on statuses.organisation_id = places.organisation_id
    and statuses.asset_status_id = places.asset_status_id
inner join {{ ref("int_cuts") }} as cuts on places.organisation_id = cuts.organisation_id and places.cut_key = cuts.cut_key
left join {{ ref("dim_assets") }} as assets on statuses.organisation_id = assets.organisation_id and statuses.asset_id = assets.asset_id
where
    statuses.asset_id is not null
    and statuses.started_at < {{ as_of() }}
    and (statuses.ended_at is null or statuses.ended_at > statuses.started_at)

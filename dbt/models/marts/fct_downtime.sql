with
    offline as (select * from {{ ref("int_status_intervals") }} where status = 'OFFLINE'),
    merged as ({{ merged_intervals("offline", ["organisation_id", "asset_id", "downtime_type"]) }}),
    places as (select distinct organisation_id, asset_id, started_at, site_id, cut_id from offline)
select
    merged.organisation_id,
    merged.asset_id,
    places.site_id,
    places.cut_id,
    merged.downtime_type,
    merged.started_at,
    merged.ended_at,
    {{ local_date("merged.started_at", "sites.time_zone") }} as started_on,
    {{ local_date("merged.ended_at", "sites.time_zone") }} as ended_on,
    {{ seconds_between("merged.started_at", "coalesce(merged.ended_at, " ~ as_of() ~ ")") }} as downtime_seconds,
    merged.ended_at is null as is_ongoing,
    merged.piece_count as status_ids_count
from merged
inner join
    places
    on merged.organisation_id = places.organisation_id
    and merged.asset_id = places.asset_id
    and merged.started_at = places.started_at
left join {{ ref("dim_sites") }} as sites on places.site_id = sites.site_id

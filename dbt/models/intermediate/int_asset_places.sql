with
    living as (
        select
            *,
            row_number() over by_version = 1 as is_first,
            lag(asset_name) over by_version as previous_name,
            lag(parent_asset_id) over by_version as previous_parent_id,
            lag(location_id) over by_version as previous_location_id
        from {{ ref("stg_asset_versions") }}
        where not is_deleted
        window by_version as (partition by organisation_id, asset_id order by version_number asc nulls last)
    ),
    changes as (
        select
            *,
            max(case when is_first then {{ instant("1970-01-01T00:00:00Z") }} else coalesce(updated_at, observed_at) end) over (
                partition by organisation_id, asset_id order by version_number asc nulls last rows unbounded preceding
            ) as valid_from
        from living
        where
            is_first
            or asset_name is distinct from previous_name
            or parent_asset_id is distinct from previous_parent_id
            or location_id is distinct from previous_location_id
    ),
    deletions as (
        select organisation_id, asset_id, observed_at as deleted_at
        from
            (
                select *, row_number() over (partition by organisation_id, asset_id order by version_number desc nulls last) as version_rank
                from {{ ref("stg_asset_versions") }}
            ) as ranked
        where version_rank = 1 and is_deleted
    ),
    spans as (
        select *, lead(valid_from) over (partition by organisation_id, asset_id order by version_number asc nulls last) as valid_to
        from changes
    )
select
    spans.organisation_id,
    spans.asset_id,
    spans.version_number,
    spans.valid_from,
    spans.valid_to,
    spans.asset_name,
    spans.parent_asset_id,
    locations.location_id,
    locations.root_site_id,
    coalesce(locations.root_site_id, default_sites.site_id) as site_id,
    deletions.deleted_at,
    {{ cut_key("coalesce(locations.root_site_id, default_sites.site_id)", "locations.location_id", "spans.asset_id") }} as cut_key
from spans
left join
    {{ ref("dim_locations") }} as locations
    on spans.organisation_id = locations.organisation_id
    and spans.location_id = locations.location_id
left join {{ ref("dim_sites") }} as default_sites on spans.organisation_id = default_sites.organisation_id and default_sites.is_default
left join deletions on spans.organisation_id = deletions.organisation_id and spans.asset_id = deletions.asset_id

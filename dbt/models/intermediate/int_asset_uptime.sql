{% set layers = [0, 1, 2, 3] %}
{% set keys = ["organisation_id", "site_id", "cut_id", "asset_id", "span", "period_grain", "period_start_on"] %}
with
    first_statuses as (
        select organisation_id, asset_id, min(started_at) as first_at
        from {{ ref("stg_asset_statuses") }}
        where asset_id is not null
        group by organisation_id, asset_id
    ),
    creations as (
        select organisation_id, asset_id, min(created_at) as created_at
        from {{ ref("stg_asset_versions") }}
        group by organisation_id, asset_id
    ),
    places as (
        select
            versions.organisation_id,
            versions.asset_id,
            versions.version_number,
            versions.site_id,
            versions.cut_id,
            versions.valid_from as starts_at,
            coalesce(versions.valid_to, versions.deleted_at, {{ instant("9999-01-01T00:00:00Z") }}) as ends_at,
            coalesce(creations.created_at, first_statuses.first_at, versions.valid_from) as created_at,
            first_statuses.first_at
        from {{ ref("dim_asset_versions") }} as versions
        left join creations on versions.organisation_id = creations.organisation_id and versions.asset_id = creations.asset_id
        left join
            first_statuses on versions.organisation_id = first_statuses.organisation_id and versions.asset_id = first_statuses.asset_id
    ),
    present as (
        select
            places.organisation_id,
            places.site_id,
            places.cut_id,
            places.asset_id,
            places.version_number,
            windows.span,
            windows.period_grain,
            windows.period_start_on,
            case
                when places.first_at < {{ earlier_of("places.ends_at", "windows.ends_at") }}
                then {{ later_of("places.first_at", later_of("places.starts_at", "windows.starts_at")) }}
            end as starts_at,
            {{ earlier_of("places.ends_at", "windows.ends_at") }} as ends_at
        from places
        inner join
            {{ ref("int_reliability_windows") }} as windows
            on places.organisation_id = windows.organisation_id
            and places.site_id = windows.site_id
            and places.starts_at < windows.ends_at
            and places.ends_at > windows.starts_at
        where {{ later_of("places.created_at", "places.starts_at") }} < {{ earlier_of("places.ends_at", "windows.ends_at") }}
    ),
    scheduled_sites as (select distinct organisation_id, site_id from {{ ref("int_operating_time") }}),
    stretches as (
        select distinct present.organisation_id, present.site_id, present.starts_at, present.ends_at
        from present
        inner join
            scheduled_sites on present.organisation_id = scheduled_sites.organisation_id and present.site_id = scheduled_sites.site_id
        where present.starts_at is not null
    ),
    scheduled_stretches as (
        select
            stretches.organisation_id,
            stretches.site_id,
            stretches.starts_at,
            stretches.ends_at,
            sum(
                {{
                    seconds_between(
                        later_of("shifts.started_at", "stretches.starts_at"),
                        earlier_of("shifts.ended_at", "stretches.ends_at"),
                    )
                }}
            ) as scheduled_seconds
        from stretches
        inner join
            {{ ref("int_operating_time") }} as shifts
            on stretches.organisation_id = shifts.organisation_id
            and stretches.site_id = shifts.site_id
            and shifts.started_at < stretches.ends_at
            and shifts.ended_at > stretches.starts_at
        group by stretches.organisation_id, stretches.site_id, stretches.starts_at, stretches.ends_at
    ),
    asset_sites as (select distinct organisation_id, asset_id, site_id from places),
    pieces as (
        select
            asset_sites.organisation_id,
            asset_sites.asset_id,
            asset_sites.site_id,
            stops.layer,
            0 as is_scheduled,
            stops.started_at,
            coalesce(stops.ended_at, {{ as_of() }}) as ended_at
        from {{ ref("int_asset_downtime") }} as stops
        inner join asset_sites on stops.organisation_id = asset_sites.organisation_id and stops.asset_id = asset_sites.asset_id
        union all
        select
            asset_sites.organisation_id,
            asset_sites.asset_id,
            asset_sites.site_id,
            stops.layer,
            1 as is_scheduled,
            {{ later_of("stops.started_at", "shifts.started_at") }} as started_at,
            {{ earlier_of("coalesce(stops.ended_at, " ~ as_of() ~ ")", "shifts.ended_at") }} as ended_at
        from {{ ref("int_asset_downtime") }} as stops
        inner join asset_sites on stops.organisation_id = asset_sites.organisation_id and stops.asset_id = asset_sites.asset_id
        inner join
            {{ ref("int_operating_time") }} as shifts
            on asset_sites.organisation_id = shifts.organisation_id
            and asset_sites.site_id = shifts.site_id
            and shifts.started_at < coalesce(stops.ended_at, {{ as_of() }})
            and shifts.ended_at > stops.started_at
    ),
    clipped as (
        select
            present.organisation_id,
            present.asset_id,
            present.version_number,
            present.span,
            present.period_grain,
            present.period_start_on,
            pieces.layer,
            pieces.is_scheduled,
            {{ seconds_between(later_of("pieces.started_at", "present.starts_at"), earlier_of("pieces.ended_at", "present.ends_at")) }}
            as piece_seconds
        from present
        inner join
            pieces
            on present.organisation_id = pieces.organisation_id
            and present.asset_id = pieces.asset_id
            and present.site_id = pieces.site_id
            and pieces.started_at < present.ends_at
            and pieces.ended_at > present.starts_at
    ),
    stopped as (
        select
            organisation_id,
            asset_id,
            version_number,
            span,
            period_grain,
            period_start_on
            {%- for layer in layers %}
                ,
                sum(case when layer = {{ layer }} and is_scheduled = 0 then piece_seconds else 0 end) as seconds_{{ layer }},
                sum(case when layer = {{ layer }} and is_scheduled = 1 then piece_seconds else 0 end) as scheduled_{{ layer }}
            {%- endfor %}
        from clipped
        group by organisation_id, asset_id, version_number, span, period_grain, period_start_on
    ),
    measured as (
        select
            present.organisation_id,
            present.site_id,
            present.cut_id,
            present.asset_id,
            present.span,
            present.period_grain,
            present.period_start_on,
            scheduled_sites.site_id is not null as has_calendar,
            case
                when present.starts_at < present.ends_at then {{ seconds_between("present.starts_at", "present.ends_at") }} else 0
            end as seconds,
            coalesce(scheduled_stretches.scheduled_seconds, 0) as scheduled
            {%- for layer in layers %}
                ,
                coalesce(stopped.seconds_{{ layer }}, 0) as seconds_{{ layer }},
                coalesce(stopped.scheduled_{{ layer }}, 0) as scheduled_{{ layer }}
            {%- endfor %}
        from present
        left join scheduled_sites on present.organisation_id = scheduled_sites.organisation_id and present.site_id = scheduled_sites.site_id
        left join
            scheduled_stretches
            on present.organisation_id = scheduled_stretches.organisation_id
            and present.site_id = scheduled_stretches.site_id
            and present.starts_at = scheduled_stretches.starts_at
            and present.ends_at = scheduled_stretches.ends_at
        left join
            stopped
            on present.organisation_id = stopped.organisation_id
            and present.asset_id = stopped.asset_id
            and present.version_number = stopped.version_number
            and present.span = stopped.span
            and present.period_grain = stopped.period_grain
            and present.period_start_on = stopped.period_start_on
    ),
    summed as (
        select
            {{ keys | join(", ") }},
            has_calendar,
            cast(sum(seconds - seconds_0) as bigint) as tracked_seconds,
            cast(sum(seconds_1 - seconds_0) as bigint) as unplanned_seconds,
            cast(sum(seconds_2 - seconds_1) as bigint) as planned_seconds,
            cast(sum(seconds_3 - seconds_2) as bigint) as unknown_seconds,
            cast(sum(case when has_calendar then scheduled - scheduled_0 else seconds - seconds_0 end) as bigint) as available_seconds,
            cast(sum(case when has_calendar then scheduled - scheduled_3 else seconds - seconds_3 end) as bigint) as up_seconds
        from measured
        group by {{ keys | join(", ") }}, has_calendar
    )
select
    {{ keys | join(", ") }},
    case when tracked_seconds > 0 then 1 else 0 end as tracked_assets,
    tracked_seconds,
    unplanned_seconds,
    planned_seconds,
    unknown_seconds,
    available_seconds,
    case when has_calendar then available_seconds else 0 end as scheduled_seconds,
    up_seconds
from summed

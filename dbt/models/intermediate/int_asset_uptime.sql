with
    statuses as (select * from {{ ref("int_status_intervals") }} where is_known_asset),
    ignored as (select * from statuses where status = 'IGNORE'),
    ignored_or_offline as (select * from statuses where status in ('IGNORE', 'OFFLINE')),
    merged as (
        select organisation_id, site_id, asset_id, started_at, ended_at, 1 as is_ignored
        from ({{ merged_intervals("ignored", ["organisation_id", "site_id", "asset_id"]) }}) as ignored_union
        union all
        select organisation_id, site_id, asset_id, started_at, ended_at, 0 as is_ignored
        from ({{ merged_intervals("ignored_or_offline", ["organisation_id", "site_id", "asset_id"]) }}) as whole_union
    ),
    windows as (
        select organisation_id, site_id, period_grain, period_start_on, starts_at, {{ earlier_of("ends_at", as_of()) }} as ends_at
        from {{ ref("int_kpi_periods") }}
        where scope_type = 'site'
    ),
    first_statuses as (
        select statuses.organisation_id, assets.site_id, statuses.asset_id, min(statuses.started_at) as first_at
        from {{ ref("stg_asset_statuses") }} as statuses
        inner join
            {{ ref("dim_assets") }} as assets
            on statuses.organisation_id = assets.organisation_id
            and statuses.asset_id = assets.asset_id
            and assets.is_known
        group by statuses.organisation_id, assets.site_id, statuses.asset_id
    ),
    tracked as (
        select
            windows.organisation_id,
            windows.site_id,
            windows.period_grain,
            windows.period_start_on,
            first_statuses.asset_id,
            {{ later_of("first_statuses.first_at", "windows.starts_at") }} as starts_at,
            windows.ends_at
        from windows
        inner join
            first_statuses
            on windows.organisation_id = first_statuses.organisation_id
            and windows.site_id = first_statuses.site_id
            and windows.ends_at > first_statuses.first_at
    ),
    pieces as (
        select
            tracked.organisation_id,
            tracked.site_id,
            tracked.period_grain,
            tracked.period_start_on,
            tracked.asset_id,
            merged.is_ignored,
            {{
                seconds_between(
                    later_of("merged.started_at", "tracked.starts_at"),
                    earlier_of("coalesce(merged.ended_at, tracked.ends_at)", "tracked.ends_at"),
                )
            }} as piece_seconds
        from tracked
        inner join
            merged
            on tracked.organisation_id = merged.organisation_id
            and tracked.asset_id = merged.asset_id
            and merged.started_at < tracked.ends_at
            and coalesce(merged.ended_at, tracked.ends_at) > tracked.starts_at
    ),
    summed as (
        select
            organisation_id,
            period_grain,
            period_start_on,
            asset_id,
            sum(case when is_ignored = 1 then piece_seconds else 0 end) as ignored_seconds,
            sum(case when is_ignored = 0 then piece_seconds else 0 end) as ignored_or_offline_seconds
        from pieces
        group by organisation_id, period_grain, period_start_on, asset_id
    )
select
    tracked.organisation_id,
    tracked.site_id,
    tracked.period_grain,
    tracked.period_start_on,
    tracked.asset_id,
    {{ seconds_between("tracked.starts_at", "tracked.ends_at") }} - cast(coalesce(summed.ignored_seconds, 0) as bigint) as tracked_seconds,
    {{ seconds_between("tracked.starts_at", "tracked.ends_at") }}
    - cast(coalesce(summed.ignored_or_offline_seconds, 0) as bigint) as up_seconds
from tracked
left join
    summed
    on tracked.organisation_id = summed.organisation_id
    and tracked.period_grain = summed.period_grain
    and tracked.period_start_on = summed.period_start_on
    and tracked.asset_id = summed.asset_id

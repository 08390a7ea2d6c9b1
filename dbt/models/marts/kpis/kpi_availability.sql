with
    site_sums as (
        select
            organisation_id,
            site_id,
            period_grain,
            period_start_on,
            sum(case when tracked_seconds > 0 then 1 else 0 end) as assets,
            sum(tracked_seconds) as tracked_seconds,
            sum(up_seconds) as up_seconds
        from {{ ref("int_asset_uptime") }}
        group by organisation_id, site_id, period_grain, period_start_on
    ),
    scope_sums as (
        select
            organisation_id,
            scope_type,
            scope_id,
            period_grain,
            period_start_on,
            cast(sum(assets) as bigint) as assets,
            cast(sum(tracked_seconds) as bigint) as tracked_seconds,
            cast(sum(up_seconds) as bigint) as up_seconds
        from ({{ in_scopes("site_sums") }}) as scoped
        group by organisation_id, scope_type, scope_id, period_grain, period_start_on
    ),
    summed as ({{ on_spine("scope_sums", ["assets", "tracked_seconds", "up_seconds"]) }}),
    known as (select organisation_id, site_id from {{ ref("dim_assets") }} where is_known),
    known_counts as (
        select organisation_id, scope_type, scope_id, count(*) as known_assets
        from ({{ in_scopes("known") }}) as scoped
        group by organisation_id, scope_type, scope_id
    ),
    measured as (
        select summed.*, coalesce(known_counts.known_assets, 0) as known_assets
        from summed
        left join
            known_counts
            on summed.organisation_id = known_counts.organisation_id
            and summed.scope_type = known_counts.scope_type
            and summed.scope_id = known_counts.scope_id
    )
    {{
        kpi_rows(
            "measured",
            numerator=hours("up_seconds"),
            denominator=hours("tracked_seconds"),
            n="assets",
            reasons=[("tracked_seconds = 0", "no_status_tracking")],
            covered="assets",
            coverable="known_assets",
            basis="'calendar'",
        )
    }}

{% set z = "1.959963984540054e0" %}
with
    windows as (
        select
            windows.organisation_id,
            windows.site_id,
            windows.period_start_on,
            windows.starts_at,
            windows.ends_at,
            {{ local_date("windows.starts_at", "sites.time_zone") }} as from_on,
            {{ local_date(as_of(), "sites.time_zone") }} as to_on
        from {{ ref("int_reliability_windows") }} as windows
        inner join {{ ref("dim_sites") }} as sites on windows.site_id = sites.site_id
        where
            windows.span = '365_days'
            and windows.period_grain = 'month'
            and windows.period_start_on = {{ month(local_date(as_of(), "sites.time_zone")) }}
    ),
    parts as (
        select
            uptime.organisation_id,
            uptime.asset_id,
            uptime.tracked_seconds,
            uptime.up_seconds,
            uptime.unplanned_seconds,
            0 as failures,
            0 as cost_cents
        from {{ ref("int_asset_uptime") }} as uptime
        inner join windows on uptime.site_id = windows.site_id and uptime.period_start_on = windows.period_start_on
        where uptime.span = '365_days' and uptime.period_grain = 'month'
        union all
        select
            stops.organisation_id,
            stops.asset_id,
            0 as tracked_seconds,
            0 as up_seconds,
            0 as unplanned_seconds,
            1 as failures,
            0 as cost_cents
        from {{ ref("fct_downtime") }} as stops
        inner join
            windows on stops.site_id = windows.site_id and stops.started_at >= windows.starts_at and stops.started_at < windows.ends_at
        where stops.downtime_type = 'unplanned'
        union all
        select
            costs.organisation_id,
            costs.asset_id,
            0 as tracked_seconds,
            0 as up_seconds,
            0 as unplanned_seconds,
            0 as failures,
            costs.total_cost_cents as cost_cents
        from {{ ref("fct_work_order_costs") }} as costs
        inner join windows on costs.site_id = windows.site_id and costs.booked_on >= windows.from_on and costs.booked_on <= windows.to_on
        where costs.asset_id is not null
    ),
    summed as (
        {{
            added(
                "parts",
                ["organisation_id", "asset_id"],
                ["tracked_seconds", "up_seconds", "unplanned_seconds", "failures", "cost_cents"],
            )
        }}
    ),
    weighed as (
        select
            summed.*,
            cast(floor(summed.up_seconds / 3600) as {{ dbt.type_bigint() }}) as whole_hours,
            assets.site_id,
            assets.asset_name,
            assets.asset_type,
            assets.criticality,
            assets.criticality_level,
            coalesce(assets.criticality_level, 1) as weight
        from summed
        inner join
            {{ ref("dim_assets") }} as assets on summed.organisation_id = assets.organisation_id and summed.asset_id = assets.asset_id
        where assets.is_known
    ),
    totals as (
        select
            organisation_id,
            cast(sum(failures) as {{ double() }}) as failures,
            cast(sum(whole_hours) as {{ double() }}) as hours,
            cast(count(*) as {{ double() }}) as assets,
            cast(sum(cast(round(failures * failures * 1000000 / whole_hours) as {{ dbt.type_bigint() }})) as {{ double() }})
            / 1000000 as failures_squared_by_hours
        from weighed
        where whole_hours > 0
        group by organisation_id
    ),
    means as (
        select
            organisation_id,
            failures,
            hours,
            failures / hours as mean_rate,
            (failures_squared_by_hours - failures * failures / hours) / hours - failures / hours * assets / hours as variance
        from totals
    ),
    priors as (
        select
            *,
            case when variance > 0 then mean_rate * mean_rate / variance end as shape,
            case when variance > 0 then mean_rate / variance end as prior_hours
        from means
    ),
    posteriors as (
        select
            weighed.*,
            {{ ratio("weighed.failures * 1000", "weighed.whole_hours") }} as raw_rate,
            case
                when weighed.whole_hours > 0 and priors.shape is null
                then priors.failures
                when weighed.whole_hours > 0
                then priors.shape + weighed.failures
            end as events,
            case
                when weighed.whole_hours > 0 and priors.shape is null
                then priors.hours
                when weighed.whole_hours > 0
                then priors.prior_hours + weighed.whole_hours
            end as exposure
        from weighed
        left join priors on weighed.organisation_id = priors.organisation_id
    ),
    limited as (
        select
            *,
            1 - {{ ratio("1", "9 * events") }} - {{ ratio(z, "3 * sqrt(events)") }} as low_root,
            1 - {{ ratio("1", "9 * events") }} + {{ ratio(z, "3 * sqrt(events)") }} as high_root
        from posteriors
    ),
    ranked as (
        select
            *,
            unplanned_seconds * weight as weighted_seconds,
            row_number() over (
                partition by organisation_id
                order by
                    unplanned_seconds * weight desc nulls last,
                    failures desc nulls last,
                    cost_cents desc nulls last,
                    asset_id asc nulls last
            ) as worst_rank,
            row_number() over (
                partition by organisation_id
                order by
                    failures desc nulls last,
                    unplanned_seconds * weight desc nulls last,
                    cost_cents desc nulls last,
                    asset_id asc nulls last
            ) as failures_rank,
            count(*) over (partition by organisation_id) as assets
        from limited
    )
select
    ranked.organisation_id,
    ranked.asset_id,
    ranked.site_id,
    ranked.asset_name,
    ranked.asset_type,
    ranked.criticality,
    ranked.criticality_level,
    windows.from_on,
    windows.to_on,
    ranked.worst_rank,
    ranked.failures_rank,
    ranked.worst_rank <= floor((ranked.assets + 4) / 5) as is_top_20_percent,
    ranked.failures,
    {{ hours("ranked.unplanned_seconds") }} as unplanned_hours,
    {{ hours("ranked.weighted_seconds") }} as weighted_hours,
    {{
        ratio(
            "sum(ranked.weighted_seconds) over (partition by ranked.organisation_id order by ranked.worst_rank asc nulls last rows unbounded preceding)",
            "sum(ranked.weighted_seconds) over (partition by ranked.organisation_id)",
        )
    }}
    as cumulative_share,
    {{ hours("ranked.tracked_seconds") }} as tracked_hours,
    {{ hours("ranked.up_seconds") }} as up_hours,
    ranked.raw_rate as failures_per_1000_hours,
    {{ ratio("ranked.events * 1000", "ranked.exposure") }} as shrunk_failures_per_1000_hours,
    case
        when ranked.low_root > 0
        then {{ ratio("ranked.events * power(ranked.low_root, 3) * 1000", "ranked.exposure") }}
        when ranked.events > 0
        then 0
    end as shrunk_low,
    {{ ratio("ranked.events * power(ranked.high_root, 3) * 1000", "ranked.exposure") }} as shrunk_high,
    cast(ranked.cost_cents as {{ double() }}) / 100 as cost_amount,
    sites.currency
from ranked
inner join {{ ref("dim_sites") }} as sites on ranked.site_id = sites.site_id
left join windows on ranked.site_id = windows.site_id

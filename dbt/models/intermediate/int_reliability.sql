{% set keys = ["organisation_id", "site_id", "cut_id", "span", "period_grain", "period_start_on"] %}
{% set of_time = [
    "tracked_assets",
    "tracked_seconds",
    "unplanned_seconds",
    "planned_seconds",
    "unknown_seconds",
    "available_seconds",
    "scheduled_seconds",
    "up_seconds",
] %}
with
    parts as (
        select {{ keys | join(", ") }}, 1 as assets, {{ of_time | join(", ") }}, 0 as failures, 0 as stops
        from {{ ref("int_asset_uptime") }}
        union all
        select
            windows.organisation_id,
            windows.site_id,
            stops.cut_id,
            windows.span,
            windows.period_grain,
            windows.period_start_on,
            0 as assets,
            {% for measure in of_time %} 0 as {{ measure }},{% endfor %}
            case when stops.downtime_type = 'unplanned' then 1 else 0 end as failures,
            1 as stops
        from {{ ref("fct_downtime") }} as stops
        inner join
            {{ ref("int_reliability_windows") }} as windows
            on stops.site_id = windows.site_id
            and stops.started_at >= windows.starts_at
            and stops.started_at < windows.ends_at
        where stops.downtime_type in ('unplanned', 'planned')
    )
    {{ added("parts", keys, ["assets"] + of_time + ["failures", "stops"]) }}

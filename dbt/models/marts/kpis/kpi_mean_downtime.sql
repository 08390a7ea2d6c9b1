with
    daily as (
        select organisation_id, site_id, cut_id, measured_on, ended, ongoing, coalesce(ended_seconds, 0) as ended_seconds
        from {{ ref("int_ended_downtime") }}
    ),
    summed as ({{ sums_by_period("daily", ["ended", "ongoing", "ended_seconds"]) }}),
    tracking as (select distinct organisation_id from {{ ref("stg_asset_statuses") }}),
    measured as (
        select summed.*, tracking.organisation_id is not null as has_statuses
        from summed
        left join tracking on summed.organisation_id = tracking.organisation_id
    )
    {{
        kpi_rows(
            "measured",
            numerator=hours("ended_seconds"),
            denominator="ended",
            n="ended",
            reasons=[("not has_statuses", "no_status_tracking"), ("ended = 0", "no_downtime_ended")],
            covered="ended",
            coverable="ended + ongoing",
            records="ended + ongoing",
        )
    }}

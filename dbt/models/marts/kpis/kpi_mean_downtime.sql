with
    daily as (
        select organisation_id, site_id, ended_on as measured_on, count(*) as intervals, sum(downtime_seconds) as downtime_seconds
        from {{ ref("fct_downtime") }}
        where downtime_type = 'unplanned' and not is_ongoing
        group by organisation_id, site_id, ended_on
    ),
    summed as ({{ sums_by_period("daily", ["intervals", "downtime_seconds"]) }}),
    tracking as (select distinct organisation_id from {{ ref("stg_asset_statuses") }}),
    measured as (
        select summed.*, tracking.organisation_id is not null as has_statuses
        from summed
        left join tracking on summed.organisation_id = tracking.organisation_id
    )
    {{
        kpi_rows(
            "measured",
            numerator=hours("downtime_seconds"),
            denominator="intervals",
            n="intervals",
            reasons=[("not has_statuses", "no_status_tracking"), ("intervals = 0", "no_downtime_ended")],
        )
    }}

{# The rows of a KPI of the quantile `q` of the whole lengths of the unplanned downtimes that ended in the period. #}
{% macro downtime_quantile(q) %}
    with
        daily as (
            select organisation_id, site_id, cut_id, measured_on, ended_seconds
            from {{ ref("int_ended_downtime") }}
            where ended_seconds is not null
        ),
        quantiles as ({{ quantiles_by_period("daily", "ended_seconds", q) }}),
        tracking as (select distinct organisation_id from {{ ref("stg_asset_statuses") }}),
        measured as (
            select quantiles.*, tracking.organisation_id is not null as has_statuses
            from quantiles
            left join tracking on quantiles.organisation_id = tracking.organisation_id
        )
        {{
            kpi_rows(
                "measured",
                numerator="quantile_x / 3600",
                n="orders",
                reasons=[("not has_statuses", "no_status_tracking"), ("orders = 0", "no_downtime_ended")],
                interval="quantile",
                low="case when orders > 0 then quantile_low / 3600 end",
                high="case when orders > 0 then quantile_high / 3600 end",
                is_additive=false,
            )
        }}
{% endmacro %}

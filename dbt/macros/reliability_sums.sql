{# What int_reliability counts over a span (period, 90_days, 365_days), per scope and period on the KPI spine, with the exact Poisson
   limits of the number of its `events` (failures or stops). #}
{% macro reliability_sums(span, events="failures") %}
    {% set relation = "(select * from " ~ ref("int_reliability") ~ " where span = '" ~ span ~ "')" %}
    {% set measures = [
        "assets",
        "tracked_assets",
        "tracked_seconds",
        "unplanned_seconds",
        "planned_seconds",
        "unknown_seconds",
        "available_seconds",
        "scheduled_seconds",
        "up_seconds",
        "failures",
        "stops",
    ] %}
    {{ with_poisson("(" ~ sums_of_periods(relation, measures) ~ ")", events) }}
{% endmacro %}

{# Which hours count: those of the operating calendars, the clock's, or here the one and there the other. #}
{% macro hours_basis() %}
    case when scheduled_seconds = available_seconds then 'operating_calendar' when scheduled_seconds = 0 then 'calendar' else 'mixed' end
{% endmacro %}

{# The share of the hours of operating calendars and of the clock's in all that count. #}
{% macro hours_basis_shares() %}
    {{
        basis_shares(
            {"operating_calendar": "scheduled_seconds", "calendar": "(available_seconds - scheduled_seconds)"}, "available_seconds"
        )
    }}
{% endmacro %}

{# Why there are no hours to count: nobody tracks the assets, or the site did not run. #}
{% macro no_hours_reasons() %}
    {{ return([("tracked_seconds = 0", "no_status_tracking"), ("available_seconds = 0", "no_operating_time")]) }}
{% endmacro %}

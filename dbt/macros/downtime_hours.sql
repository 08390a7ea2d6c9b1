{# The rows of a KPI of the hours that assets were down for one kind of reason (a column of reliability_sums), within the period. #}
{% macro downtime_hours(seconds) %}
    with
        measured as ({{ reliability_sums("period") }})
        {{
            kpi_rows(
                "measured",
                numerator=hours(seconds),
                n="tracked_assets",
                reasons=[("tracked_seconds = 0", "no_status_tracking")],
                covered="tracked_assets",
                coverable="assets",
            )
        }}
{% endmacro %}

{# The rows of a KPI of operating hours per event (`failures` or `stops`) over a span, with exact Poisson limits. Without an event there
   is no value but a lower limit: a third of the hours, which would have held one with 95 % if they were the mean. #}
{% macro hours_between_events(span, events) %}
    with
        measured as ({{ reliability_sums(span, events) }})
        {{
            kpi_rows(
                "measured",
                numerator=hours("up_seconds"),
                denominator=events,
                n=events,
                reasons=no_hours_reasons() + [(events ~ " = 0", "no_" ~ events)],
                covered="tracked_assets",
                coverable="assets",
                basis=hours_basis(),
                basis_shares=hours_basis_shares(),
                records="tracked_assets + " ~ events,
                interval="poisson",
                low="case when available_seconds > 0 then "
                ~ hours("up_seconds")
                ~ " / case when "
                ~ events
                ~ " = 0 then 3 else poisson_high end end",
                high="case when available_seconds > 0 and " ~ events ~ " > 0 then " ~ hours("up_seconds") ~ " / poisson_low end",
            )
        }}
{% endmacro %}

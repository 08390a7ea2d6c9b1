{# The rows of a KPI of the quantile `q` of the days since creation, of the backlog whose start is reached. #}
{% macro backlog_age(q) %}
    with
        measured as ({{ quantiles_of_periods(ref("int_backlog_ages"), "age_seconds", q) }})
        {{
            kpi_rows(
                "measured",
                numerator=days("quantile_x"),
                n="orders",
                reasons=[("orders = 0", "nothing_open")],
                interval="quantile",
                low=days("quantile_low"),
                high=days("quantile_high"),
                is_additive=false,
            )
        }}
{% endmacro %}

with
    completed as (
        select organisation_id, site_id, cut_id, completed_on as measured_on, lead_seconds
        from {{ ref("int_work_orders") }}
        where lead_seconds is not null and type = 'REACTIVE'
    ),
    measured as ({{ medians_by_period("completed", "lead_seconds") }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("median_x"),
            n="orders",
            reasons=[("orders = 0", "nothing_completed")],
            interval="quantile",
            low=hours("median_low"),
            high=hours("median_high"),
            is_additive=false,
        )
    }}

with
    timed as (
        select organisation_id, site_id, cut_id, created_on as measured_on, triage_seconds
        from {{ ref("fct_work_requests") }}
        where created_on is not null and triage_seconds is not null
    ),
    measured as ({{ medians_by_period("timed", "triage_seconds") }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("median_x"),
            n="orders",
            reasons=[("orders = 0", "nothing_decided")],
            interval="quantile",
            low=hours("median_low"),
            high=hours("median_high"),
            is_additive=false,
        )
    }}

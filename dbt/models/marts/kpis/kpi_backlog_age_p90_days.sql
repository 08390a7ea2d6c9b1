with
    measured as ({{ quantiles_of_periods(ref("int_backlog_ages"), "age_seconds", 0.9) }})
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

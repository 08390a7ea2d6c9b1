with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "planned_orders", "planned_seconds", "own_estimates"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("planned_seconds"),
            n="planned_orders",
            reasons=[("orders > 0 and planned_orders = 0", "no_estimates")],
            covered="own_estimates",
            coverable="orders",
            basis="'estimates'",
            records="orders",
            is_additive=false,
        )
    }}

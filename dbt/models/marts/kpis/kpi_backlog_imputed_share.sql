with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "planned_orders", "own_estimates"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="planned_orders - own_estimates",
            denominator="planned_orders",
            n="planned_orders",
            reasons=[("orders = 0", "nothing_open"), ("planned_orders = 0", "no_estimates")],
            covered="planned_orders",
            coverable="orders",
            records="orders",
            is_additive=false,
        )
    }}

with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "own_estimates", "ready", "ready_seconds", "seen"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("ready_seconds"),
            n="ready * seen",
            reasons=[("seen = 0", "not_observed_yet")],
            covered="own_estimates",
            coverable="orders",
            records="orders",
            is_additive=false,
        )
    }}

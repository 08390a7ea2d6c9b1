with
    measured as ({{ on_spine(ref("int_pm_overdue"), ["active", "dated", "overdue"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="overdue",
            denominator="dated",
            n="dated",
            reasons=[("dated = 0", "no_active_pms")],
            covered="dated",
            coverable="active",
            records="active",
            has_interval=true,
            is_additive=false,
        )
    }}

with
    measured as ({{ on_spine(ref("int_pm_overdue"), ["active", "overdue_over_90"]) }})
    {{ kpi_rows("measured", numerator="overdue_over_90", n="overdue_over_90", records="active", is_additive=false) }}

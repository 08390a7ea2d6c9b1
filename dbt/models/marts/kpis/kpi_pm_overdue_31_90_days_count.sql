with
    measured as ({{ on_spine(ref("int_pm_overdue"), ["active", "overdue_31_90"]) }})
    {{ kpi_rows("measured", numerator="overdue_31_90", n="overdue_31_90", records="active", is_additive=false) }}

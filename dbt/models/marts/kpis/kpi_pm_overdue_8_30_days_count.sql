with
    measured as ({{ on_spine(ref("int_pm_overdue"), ["active", "overdue_8_30"]) }})
    {{ kpi_rows("measured", numerator="overdue_8_30", n="overdue_8_30", records="active", is_additive=false) }}

with
    measured as ({{ on_spine(ref("int_pm_overdue"), ["active", "overdue_1_7"]) }})
    {{ kpi_rows("measured", numerator="overdue_1_7", n="overdue_1_7", records="active", is_additive=false) }}

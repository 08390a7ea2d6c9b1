with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "overdue"]) }})
    {{ kpi_rows("measured", numerator="overdue", n="overdue", records="orders", is_additive=false) }}

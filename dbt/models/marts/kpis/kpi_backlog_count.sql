with
    measured as ({{ on_spine(ref("int_backlog"), ["orders"]) }})
    {{ kpi_rows("measured", numerator="orders", n="orders", records="orders", is_additive=false) }}

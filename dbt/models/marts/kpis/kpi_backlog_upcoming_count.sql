with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "upcoming"]) }})
    {{ kpi_rows("measured", numerator="upcoming", n="upcoming", records="orders", is_additive=false) }}

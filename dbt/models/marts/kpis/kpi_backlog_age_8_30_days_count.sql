with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "age_8_30"]) }})
    {{ kpi_rows("measured", numerator="age_8_30", n="age_8_30", records="orders", is_additive=false) }}

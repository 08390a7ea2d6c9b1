with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "age_0_7"]) }})
    {{ kpi_rows("measured", numerator="age_0_7", n="age_0_7", records="orders", is_additive=false) }}

with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "age_over_90"]) }})
    {{ kpi_rows("measured", numerator="age_over_90", n="age_over_90", records="orders", is_additive=false) }}

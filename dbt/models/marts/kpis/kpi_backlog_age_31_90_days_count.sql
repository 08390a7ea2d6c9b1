with
    measured as ({{ on_spine(ref("int_backlog"), ["orders", "age_31_90"]) }})
    {{ kpi_rows("measured", numerator="age_31_90", n="age_31_90", records="orders", is_additive=false) }}

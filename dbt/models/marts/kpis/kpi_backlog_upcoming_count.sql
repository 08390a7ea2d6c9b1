with measured as ({{ on_spine(ref("int_backlog"), ["upcoming"]) }}) {{ kpi_rows("measured", numerator="upcoming", n="upcoming") }}

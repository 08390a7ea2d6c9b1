with measured as ({{ on_spine(ref("int_backlog"), ["overdue"]) }}) {{ kpi_rows("measured", numerator="overdue", n="overdue") }}

with measured as ({{ sums_by_period(ref("int_backlog_moves"), ["closed"]) }}) {{ kpi_rows("measured", numerator="closed", n="closed") }}

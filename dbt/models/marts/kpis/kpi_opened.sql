with measured as ({{ sums_by_period(ref("int_backlog_moves"), ["opened"]) }}) {{ kpi_rows("measured", numerator="opened", n="opened") }}

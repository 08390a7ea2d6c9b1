with
    measured as ({{ sums_by_period(ref("int_backlog_moves"), ["opened", "closed"]) }})
    {{ kpi_rows("measured", numerator="opened - closed", n="opened + closed") }}

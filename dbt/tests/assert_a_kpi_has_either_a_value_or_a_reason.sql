-- A KPI that cannot be computed says why; one that can has its parts.
select *
from {{ ref("kpis") }}
where
    (value is null) = (reason is null)
    or (value is null) != (numerator is null)
    or (value is null) != (denominator is null)
    or (unit = 'share' and (value < 0 or value > 1))
    or (unit = 'share' and (interval_low > value or interval_high < value))

{# The exact median of the column `x` of `relation` (organisation_id, site_id, cut_id, measured_on, x) as `median_x`, its count as
   `orders` and its limits as median_low and median_high, per scope and period, on the KPI spine; without rows the first two are 0. #}
{% macro medians_by_period(relation, x) %}
    select medians.*, quantile_x as median_x, quantile_low as median_low, quantile_high as median_high
    from ({{ quantiles_by_period(relation, x) }}) as medians
{% endmacro %}

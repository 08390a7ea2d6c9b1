{# The exact interpolated quantile `q` of the column `x` of `relation` (organisation_id, site_id, cut_id, measured_on, x) as quantile_x,
   its count as `orders`, and its 95 % limits as quantile_low and quantile_high, per scope and period on the KPI spine; without rows
   the first two are 0. #}
{% macro quantiles_by_period(relation, x, q=0.5) %}
    {% set period = [x, "period_grain", "period_start_on"] %}
    {% set known = "(select * from " ~ relation ~ " as valued where " ~ x ~ " is not null)" %}
    {% set wide = in_wide_scopes("(" ~ in_grains(known, ["organisation_id", "site_id", x]) ~ ")", period) %}
    {% set fine = in_fine_scopes("(" ~ in_grains(recent(known), ["organisation_id", "cut_id", x]) ~ ")", period) %}
    {{
        spine(
            "(" ~ quantiles("(" ~ wide ~ ")", x, q) ~ ")",
            "(" ~ quantiles("(" ~ fine ~ ")", x, q) ~ ")",
            ["quantile_x", "orders"],
            ["quantile_low", "quantile_high"],
        )
    }}
{% endmacro %}

{# The quantile of the rows of `relation` that share scope_keys(). Its limits are the order statistics whose ranks lie 1.96 standard
   deviations of the binomial to both sides: they cover it in at least 95 % of samples from any distribution (a test adds that up
   for the median and the ninth decile of up to 1200 values), and are NULL where there are too few values for that. #}
{% macro quantiles(relation, x, q) %}
    {% set half = "1.96e0 * sqrt(n * " ~ q ~ " * (1 - " ~ q ~ "))" %}
    {% set low = "floor(n * " ~ q ~ " + 0.5 - " ~ half ~ ")" %}
    {% set high = "ceil(n * " ~ q ~ " + 0.5 + " ~ half ~ ")" %}
    {{ sorted_quantile(relation, scope_keys(), x, q, low, high) }}
{% endmacro %}

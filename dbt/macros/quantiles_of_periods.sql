{# As quantiles_by_period, of a `relation` that is already by period: organisation_id, site_id, cut_id, period_grain, period_start_on,
   and the column `x`. The periods are those of the row's own site. #}
{% macro quantiles_of_periods(relation, x, q=0.5) %}
    {% set columns = [x, "period_grain", "period_start_on"] %}
    {{
        spine(
            "(" ~ quantiles("(" ~ in_wide_scopes(relation, columns) ~ ")", x, q) ~ ")",
            "(" ~ quantiles("(" ~ in_fine_scopes(relation, columns) ~ ")", x, q) ~ ")",
            ["quantile_x", "orders"],
            ["quantile_low", "quantile_high"],
        )
    }}
{% endmacro %}

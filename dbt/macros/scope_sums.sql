{# What identifies a row of a KPI, beside the KPI itself. #}
{% macro scope_keys() %}
    {{ return(["organisation_id", "scope_type", "scope_id", "site_id", "period_grain", "period_start_on"]) }}
{% endmacro %}

{# The integer `measures` of `relation`, already by site and period, summed per site and per organisation. #}
{% macro wide_sums(relation, measures) %}
    {{ added("(" ~ in_wide_scopes(relation, measures + ["period_grain", "period_start_on"]) ~ ")", scope_keys(), measures) }}
{% endmacro %}

{# The integer `measures` of `relation`, already by cut and period, summed per fine scope. #}
{% macro fine_sums(relation, measures) %}
    {{ added("(" ~ in_fine_scopes(relation, measures + ["period_grain", "period_start_on"]) ~ ")", scope_keys(), measures) }}
{% endmacro %}

{# Each row of `relation` (organisation_id, site_id, cut_id, measured_on, `columns`) once per scope and period that it falls in. #}
{% macro in_periods(relation, columns) %}
    {% set period = columns + ["period_grain", "period_start_on"] %}
    {{ in_wide_scopes("(" ~ in_grains(relation, ["organisation_id", "site_id"] + columns) ~ ")", period) }}
    union all
    {{ in_fine_scopes("(" ~ in_grains(recent(relation), ["organisation_id", "cut_id"] + columns) ~ ")", period) }}
{% endmacro %}

{# The rows of `relation` that may fall into periods of fine scopes. #}
{% macro recent(relation) %} (select * from {{ relation }} where measured_on >= {{ fine_floor("month") }}) {% endmacro %}

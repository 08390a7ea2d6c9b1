{# The fine scopes of the KPI at hand: what the meta of its yml says (`scopes`), or else all but single assets, which need `per_asset`. #}
{% macro fine_scopes() %}
    {% set meta = model.config.meta %}
    {% set scopes = meta.get("scopes", ["location_subtree", "asset_type", "team"]) %}
    {{ return(scopes + (["asset"] if meta.get("per_asset") else [])) }}
{% endmacro %}

{# The condition that a row of int_cut_scopes is a scope of the KPI at hand. #}
{% macro is_fine_scope(scope) %} {{ scope }}.scope_type in ('{{ (fine_scopes() or ["none"]) | join("', '") }}') {% endmacro %}

{# The first day from which the periods of a grain have rows of fine scopes; only whole periods count. #}
{% macro fine_floor(grain) %}
    {% set today = local_date(as_of(), "'UTC'") %}
    {% if grain == "week" %} {{ return(add_days(today, -7 * (var("kpi_scope_weeks") | int))) }} {% endif %}
    {{ return(add_months(today, -12 * (var("kpi_scope_years") | int))) }}
{% endmacro %}

{# The condition that the period of `row` (period_grain, period_start_on) is one that fine scopes have. #}
{% macro is_fine_period(row) %}
    {{ row }}.period_start_on >= case {{ row }}.period_grain when 'week' then {{ fine_floor("week") }} else {{ fine_floor("month") }} end
{% endmacro %}

{# The condition that a scope has this grain at all: single assets have no weeks. #}
{% macro is_grain_of(scope, row) %} ({{ row }}.period_grain != 'week' or {{ scope }}.scope_type != 'asset') {% endmacro %}

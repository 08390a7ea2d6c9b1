{# The rows of one KPI, from a relation on the KPI spine: the value, its parts, and the reason where there is none.

   The KPI's id is the model's name after kpi_; label, unit, target and definition_version come from the meta of its yml.
   Args (SQL expressions over the relation's columns):
       numerator, denominator: the value is one by the other.
       n: how many records (orders, intervals, assets) the value rests on.
       reasons: [(condition, reason code), …]; the first that holds makes the value NULL.
       covered, coverable: coverage_share is one by the other, NULL unless given.
       basis, basis_shares: what kind of evidence the value rests on, and the shares of all kinds, as basis_shares() words them.
       records: how many records there are, with what the value needs or without; scopes finer than a site have no row where it is
           0. Usually n.
       interval: "wilson" where numerator and denominator are counts, else "poisson" or "quantile" with
       low, high: limits of its own, shown also where there is no value.
       currency: of an amount.
       is_additive: false for medians and for what stands at a period's end, whose rows must not be added up. #}
{% macro kpi_rows(
    relation,
    numerator,
    n,
    denominator="1",
    reasons=[],
    covered=none,
    coverable=none,
    basis=none,
    has_interval=false,
    interval=none,
    low=none,
    high=none,
    basis_shares=none,
    records=none,
    currency=none,
    is_additive=true
) %}
    {% set meta = model.config.meta %}
    {% set kind = "wilson" if has_interval else interval %}
    {% set text = dbt.type_string() %}
    select
        '{{ model.name[4:] }}' as kpi,
        organisation_id,
        site_id,
        scope_type,
        scope_id,
        period_grain,
        period_start_on,
        period_end_on,
        starts_at,
        ends_at,
        time_zone,
        case when reason is null then {{ ratio("numerator", "denominator") }} end as value,
        '{{ meta.get("unit") }}' as unit,
        kpi_currency as currency,
        case when reason is null then numerator end as numerator,
        case when reason is null then denominator end as denominator,
        case when is_observed then n else 0 end as n,
        case when is_observed then coverage_share end as coverage_share,
        case when reason is null then basis end as basis,
        case when is_observed then kpi_basis_shares end as basis_shares,
        interval_low,
        interval_high,
        case
            when interval_low is not null or interval_high is not null then cast({{ "'" ~ kind ~ "'" if kind else "null" }} as {{ text }})
        end as interval_kind,
        cast({{ "null" if meta.get("target") is none else meta.get("target") }} as {{ double() }}) as target,
        reason,
        case when is_open then 'open' else 'closed' end as window_state,
        scope_type in ('organisation', 'site', 'asset') and {{ is_additive | lower }} as is_additive,
        {{ as_of() }} as as_of,
        data_to,
        '{{ meta.get("definition_version") }}' as definition_version
    from
        (
            select
                *,
                {% if low is not none or high is not none %}
                    case when is_observed then cast({{ low or "null" }} as {{ double() }}) end as interval_low,
                    case when is_observed then cast({{ high or "null" }} as {{ double() }}) end as interval_high
                {% elif kind == "wilson" %}
                    case when reason is null then {{ wilson_low("numerator", "denominator") }} end as interval_low,
                    case when reason is null then {{ wilson_high("numerator", "denominator") }} end as interval_high
                {% else %} cast(null as {{ double() }}) as interval_low, cast(null as {{ double() }}) as interval_high
                {% endif %}
            from
                (
                    select
                        *,
                        cast({{ numerator }} as {{ double() }}) as numerator,
                        cast({{ denominator }} as {{ double() }}) as denominator,
                        cast({{ n }} as {{ dbt.type_bigint() }}) as n,
                        {% if covered is none %} cast(null as {{ double() }})
                        {% else %} {{ ratio(covered, coverable) }}
                        {% endif %} as coverage_share,
                        cast({{ basis or "null" }} as {{ text }}) as basis,
                        cast({{ basis_shares or "null" }} as {{ text }}) as kpi_basis_shares,
                        cast({{ currency or "null" }} as {{ text }}) as kpi_currency,
                        case
                            when not is_observed
                            then 'not_observed_yet'
                            {% for condition, reason in reasons %} when {{ condition }} then '{{ reason }}' {% endfor %}
                        end as reason
                    from {{ relation }}
                    where scope_type in ('organisation', 'site') or {{ records or n }} > 0
                ) as parts
        ) as limited
{% endmacro %}

{# The rows of one KPI, from a relation on the KPI spine: the value, its parts, and the reason where there is none.

   The KPI's id is the model's name after kpi_; label, unit, target and definition_version come from the meta of its yml.
   Args (SQL expressions over the relation's columns):
       numerator, denominator: the value is one by the other.
       n: how many records (orders, intervals, assets) the value rests on.
       reasons: [(condition, reason code), …]; the first that holds makes the value NULL.
       covered, coverable: coverage_share is one by the other, NULL unless given.
       basis: what kind of evidence the value rests on, NULL unless given.
       has_interval: whether numerator of denominator are counts, so that Wilson limits apply. #}
{% macro kpi_rows(relation, numerator, n, denominator="1", reasons=[], covered=none, coverable=none, basis=none, has_interval=false) %}
    {% set meta = model.config.meta %}
    select
        '{{ model.name[4:] }}' as kpi,
        organisation_id,
        site_id,
        scope_type,
        scope_id,
        period_grain,
        period_start_on,
        period_end_on,
        case when reason is null then {{ ratio("numerator", "denominator") }} end as value,
        '{{ meta.get("unit") }}' as unit,
        case when reason is null then numerator end as numerator,
        case when reason is null then denominator end as denominator,
        case when is_observed then n else 0 end as n,
        case when is_observed then coverage_share end as coverage_share,
        case when reason is null then basis end as basis,
        {% if has_interval %}
            case when reason is null then {{ wilson_low("numerator", "denominator") }} end as interval_low,
            case when reason is null then {{ wilson_high("numerator", "denominator") }} end as interval_high,
        {% else %} cast(null as {{ double() }}) as interval_low, cast(null as {{ double() }}) as interval_high,
        {% endif %}
        cast({{ "null" if meta.get("target") is none else meta.get("target") }} as {{ double() }}) as target,
        reason,
        case when is_open then 'open' else 'closed' end as window_state,
        {{ as_of() }} as as_of,
        data_to,
        '{{ meta.get("definition_version") }}' as definition_version
    from
        (
            select
                *,
                cast({{ numerator }} as {{ double() }}) as numerator,
                cast({{ denominator }} as {{ double() }}) as denominator,
                cast({{ n }} as bigint) as n,
                {% if covered is none %} cast(null as {{ double() }})
                {% else %} {{ ratio(covered, coverable) }}
                {% endif %} as coverage_share,
                cast({{ basis or "null" }} as {{ dbt.type_string() }}) as basis,
                case
                    when not is_observed
                    then 'not_observed_yet'
                    {% for condition, reason in reasons %} when {{ condition }} then '{{ reason }}' {% endfor %}
                end as reason
            from {{ relation }}
        ) as parts
{% endmacro %}

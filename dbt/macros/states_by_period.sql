{# How things stood at the end of each period (or at as_of): the running sums of the integer changes `measures` of `relation`
   (organisation_id, site_id, cut_id, measured_on, …), per scope on the KPI spine. Changes before a scope's first period count in it.
   A finer scope that ever changed has a row for each of its periods: leave out those that stand at 0. #}
{% macro states_by_period(relation, measures) %}
    {% set by_site = ["organisation_id", "site_id"] + measures %}
    {% set by_cut = ["organisation_id", "cut_id"] + measures %}
    {% set days = "(" ~ added(relation, ["organisation_id", "site_id", "measured_on"], measures) ~ ")" %}
    {% set wide = clamped("(" ~ in_grains(days, by_site) ~ ")", by_site, "true") %}
    {% set fine = clamped("(" ~ in_grains(relation, by_cut) ~ ")", by_cut, is_fine_period("periods")) %}
    {% set cuts = added("(" ~ fine ~ ")", ["organisation_id", "cut_id", "period_grain", "period_start_on"], measures) %}
    {{ running("(" ~ wide_spine("(" ~ wide_sums("(" ~ wide ~ ")", measures) ~ ")", measures) ~ ")", measures) }}
    union all
    {{ running("(" ~ every_fine_period(fine_sums("(" ~ cuts ~ ")", measures), measures) ~ ")", measures) }}
{% endmacro %}

{# The rows of `relation` (period_grain, period_start_on, `columns`), those before the first period of their grain in it. #}
{% macro clamped(relation, columns, is_period) %}
    select
        dated.{{ columns | join(", dated.") }},
        dated.period_grain,
        case when dated.period_start_on < firsts.first_on then firsts.first_on else dated.period_start_on end as period_start_on
    from {{ relation }} as dated
    inner join
        (
            select periods.organisation_id, periods.period_grain, min(periods.period_start_on) as first_on
            from {{ ref("int_kpi_periods") }} as periods
            where {{ is_period }}
            group by periods.organisation_id, periods.period_grain
        ) as firsts
        on dated.organisation_id = firsts.organisation_id
        and dated.period_grain = firsts.period_grain
{% endmacro %}

{# Each scope of the query `changes` (scope_keys() and measures) in every period that fine scopes have, 0 where nothing changed. #}
{% macro every_fine_period(changes, measures) %}
    with
        changes as ({{ changes }}),
        scopes as (select distinct organisation_id, scope_type, scope_id, site_id from changes),
        dense as (
            select scopes.organisation_id, scopes.scope_type, scopes.scope_id, scopes.site_id, periods.period_grain, periods.period_start_on
            from scopes
            inner join {{ ref("int_kpi_periods") }} as periods on {{ is_period_of("scopes", "periods") }}
            where {{ is_fine_period("periods") }} and {{ is_grain_of("scopes", "periods") }}
        ),
        filled as (
            select
                dense.{{ scope_keys() | join(", dense.") }}
                {%- for measure in measures %}, coalesce(changes.{{ measure }}, 0) as {{ measure }}{% endfor %}
            from dense
            left join
                changes
                on dense.organisation_id = changes.organisation_id
                and dense.scope_type = changes.scope_type
                and dense.scope_id = changes.scope_id
                and dense.period_grain = changes.period_grain
                and dense.period_start_on = changes.period_start_on
        )
        {{ fine_spine("filled", measures) }}
{% endmacro %}

{# The rows of `relation` with running sums in the place of changes. #}
{% macro running(relation, measures) %}
    select
        {{ spine_columns() | join(", ") }}
        {%- for measure in measures %}
            ,
            cast(
                sum({{ measure }}) over (
                    partition by organisation_id, scope_type, scope_id, period_grain
                    order by period_start_on asc nulls last
                    rows unbounded preceding
                ) as {{ dbt.type_bigint() }}
            ) as {{ measure }}
        {%- endfor %}
    from {{ relation }} as changing
{% endmacro %}

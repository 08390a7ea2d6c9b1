{% set key = ["kpi", "organisation_id", "site_id", "scope_type", "scope_id", "period_grain", "period_start_on"] %}
{% set figures = ["value", "numerator", "denominator", "n", "reason", "window_state", "definition_version"] %}
{% set before = figures + ["version", "known_at"] %}
{% set window = ["organisation_id", "scope_type", "scope_id", "period_start_on", "period_end_on", "known_at_before", "known_at"] %}
{% set times = ["created_at", "completed_at", "previous_completed_at", "due_at", "previous_due_at"] -%}
with
    reported as (
        select {{ (key + before) | join(", ") }}
        from {{ ref("stg_kpi_reported") }}
        union all
        select {{ (key + figures) | join(", ") }}, cast(null as {{ dbt.type_string() }}) as version, {{ known_at() }} as known_at
        from {{ ref("kpis") }}
    ),
    sequence as (
        select
            *
            {%- for figure in before %}
                ,
                lag({{ figure }}) over (
                    partition by kpi, organisation_id, scope_type, scope_id, period_grain, period_start_on order by version asc nulls last
                ) as {{ figure }}_before
            {%- endfor %}
        from reported
    ),
    restated as (
        select
            *,
            case
                when definition_version is distinct from definition_version_before
                then 'definition_changed'
                when kpi like 'backlog%' and kpi != 'backlog_flow' or kpi like 'pm_overdue%'
                then 'state_at_period_end'
                when
                    kpi like 'mean_downtime%'
                    or kpi like 'downtime%'
                    or kpi like 'availability%'
                    or kpi like 'mtb%'
                    or kpi like 'failure%'
                    or kpi like 'request%'
                then 'rests_on_other_records'
            end as late_entries_reason,
            case
                period_grain
                when 'week'
                then {{ add_days("period_start_on", 6) }}
                when 'month'
                then {{ add_days(add_months("period_start_on", 1), -1) }}
                when 'quarter'
                then {{ add_days(add_months("period_start_on", 3), -1) }}
                else {{ add_days(add_months("period_start_on", 12), -1) }}
            end as period_end_on
        from sequence
        where
            window_state_before in ('closed', 'restated')
            and (
                value is distinct from value_before
                or numerator is distinct from numerator_before
                or denominator is distinct from denominator_before
                or reason is distinct from reason_before
            )
    ),
    windows as (select distinct {{ window | join(", ") }} from restated where late_entries_reason is null),
    first_reports as (select organisation_id, min(known_at_before) as known_at from windows group by organisation_id),
    changed as (
        select changes.*
        from {{ ref("int_work_order_changes") }} as changes
        inner join first_reports on changes.organisation_id = first_reports.organisation_id and changes.known_from > first_reports.known_at
        where changes.cause != 'shape'
    ),
    gone as (
        select
            organisation_id,
            work_order_id,
            asset_id,
            location_id,
            created_at as placed_at,
            cast(null as {{ dbt.type_string() }}) as team_key
        from changed
        where is_deleted
    ),
    gone_places as (select distinct organisation_id, work_order_id, site_id from ({{ placed("gone", "work_order_id") }}) as places),
    late as (
        {% for time in times %}
            select
                changed.organisation_id,
                changed.work_order_id,
                changed.known_from,
                coalesce(orders.site_id, gone_places.site_id) as site_id,
                orders.cut_id,
                {{ local_date("changed." ~ time, "sites.time_zone") }} as happened_on
            from changed
            left join
                {{ ref("int_work_orders") }} as orders
                on changed.organisation_id = orders.organisation_id
                and changed.work_order_id = orders.work_order_id
            left join
                gone_places on changed.organisation_id = gone_places.organisation_id and changed.work_order_id = gone_places.work_order_id
            inner join {{ ref("dim_sites") }} as sites on coalesce(orders.site_id, gone_places.site_id) = sites.site_id
            where changed.{{ time }} is not null {{ "union distinct" if not loop.last }}
        {% endfor %}
    ),
    late_in_scopes as ({{ in_scopes("late", ["work_order_id", "known_from", "happened_on"]) }}),
    counted as (
        select {% for column in window %} windows.{{ column }}, {% endfor %} count(distinct late_in_scopes.work_order_id) as late_entries
        from windows
        inner join
            late_in_scopes
            on windows.organisation_id = late_in_scopes.organisation_id
            and windows.scope_type = late_in_scopes.scope_type
            and windows.scope_id = late_in_scopes.scope_id
            and late_in_scopes.known_from > windows.known_at_before
            and late_in_scopes.known_from <= windows.known_at
            and late_in_scopes.happened_on between windows.period_start_on and windows.period_end_on
        group by {% for column in window %} windows.{{ column }} {{ "," if not loop.last }} {% endfor %}
    )
select
    {% for column in key %} restated.{{ column }}, {% endfor %}
    restated.period_end_on,
    restated.known_at_before,
    restated.known_at as known_at_after,
    restated.version_before,
    restated.value_before,
    restated.value as value_after,
    restated.numerator_before,
    restated.numerator as numerator_after,
    restated.denominator_before,
    restated.denominator as denominator_after,
    restated.n_before,
    restated.n as n_after,
    restated.reason_before,
    restated.reason as reason_after,
    case when restated.late_entries_reason = 'definition_changed' then 'definition' else 'data' end as cause,
    restated.definition_version_before,
    restated.definition_version as definition_version_after,
    case when restated.late_entries_reason is null then coalesce(counted.late_entries, 0) end as late_entries,
    restated.late_entries_reason
from restated
left join counted on {% for column in window %} restated.{{ column }} = counted.{{ column }} {{ "and" if not loop.last }} {% endfor %}

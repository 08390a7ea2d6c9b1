{# The PM compliance of the cohort of a period: preventive orders by the day of their original deadline, less cancelled ones, once
   the deadline and `grace_seconds` have passed. `is_met` is the column of fct_pm_occurrences that says who made it. #}
{% macro pm_cohort(is_met, grace_seconds) %}
    with
        daily as (
            select
                organisation_id,
                site_id,
                cut_id,
                original_due_on as measured_on,
                count(*) as orders,
                sum(case when {{ is_met }} then 1 else 0 end) as met
            from {{ ref("fct_pm_occurrences") }}
            where outcome != 'canceled' and {{ plus_seconds("original_due_at", grace_seconds) }} <= {{ as_of() }}
            group by organisation_id, site_id, cut_id, original_due_on
        ),
        summed as ({{ sums_by_period("daily", ["orders", "met"]) }}),
        preventive as (
            select organisation_id, site_id, cut_id, original_due_at from {{ ref("fct_work_orders") }} where type = 'PREVENTIVE'
        ),
        preventive_counts as (
            select
                organisation_id,
                scope_type,
                scope_id,
                count(*) as preventive_orders,
                sum(case when original_due_at is not null then 1 else 0 end) as dated_orders
            from ({{ in_scopes("preventive", ["original_due_at"]) }}) as scoped
            group by organisation_id, scope_type, scope_id
        ),
        measured as (
            select summed.*, preventive_counts.preventive_orders, preventive_counts.dated_orders
            from summed
            left join
                preventive_counts
                on summed.organisation_id = preventive_counts.organisation_id
                and summed.scope_type = preventive_counts.scope_type
                and summed.scope_id = preventive_counts.scope_id
        )
        {{
            kpi_rows(
                "measured",
                numerator="met",
                denominator="orders",
                n="orders",
                reasons=[("orders = 0", "nothing_due")],
                covered="dated_orders",
                coverable="preventive_orders",
                has_interval=true,
            )
        }}
{% endmacro %}

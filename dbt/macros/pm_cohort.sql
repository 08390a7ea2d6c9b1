{# The PM compliance of the cohort of a period: preventive orders by the day of their original deadline, less cancelled ones, once
   `deadline_at` has passed. `is_met` and `deadline_at` are columns of fct_pm_occurrences; where the deadline is NULL the rule
   cannot judge the order, which then lowers the coverage. #}
{% macro pm_cohort(is_met, deadline_at="original_due_at") %}
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
            where outcome != 'canceled' and {{ deadline_at }} <= {{ as_of() }}
            group by organisation_id, site_id, cut_id, original_due_on
        ),
        summed as ({{ sums_by_period("daily", ["orders", "met"]) }}),
        preventive as (
            select organisation_id, site_id, cut_id, sum(preventive) as preventive_orders, sum(judged) as judged_orders
            from
                (
                    select organisation_id, site_id, cut_id, 1 as preventive, 0 as judged
                    from {{ ref("fct_work_orders") }}
                    where type = 'PREVENTIVE'
                    union all
                    select organisation_id, site_id, cut_id, 0 as preventive, 1 as judged
                    from {{ ref("fct_pm_occurrences") }}
                    where {{ deadline_at }} is not null
                ) as counted
            group by organisation_id, site_id, cut_id
        ),
        preventive_counts as (
            select organisation_id, scope_type, scope_id, sum(preventive_orders) as preventive_orders, sum(judged_orders) as judged_orders
            from ({{ in_scopes("preventive", ["preventive_orders", "judged_orders"]) }}) as scoped
            group by organisation_id, scope_type, scope_id
        ),
        measured as (
            select summed.*, preventive_counts.preventive_orders, preventive_counts.judged_orders
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
                covered="judged_orders",
                coverable="preventive_orders",
                has_interval=true,
            )
        }}
{% endmacro %}

{# The share of the hours logged on the orders completed in a period that went into those for which `condition` holds. #}
{% macro labour_share(condition, basis=none) %}
    with
        daily as (
            select
                organisation_id,
                site_id,
                cut_id,
                completed_on as measured_on,
                count(*) as orders,
                sum(case when labour_seconds > 0 then 1 else 0 end) as logged_orders,
                sum(labour_seconds) as labour_seconds,
                sum(case when {{ condition }} then labour_seconds else 0 end) as meant_seconds,
                sum(case when has_parent_links then 1 else 0 end) as linked_orders
            from {{ ref("int_maintenance_hours") }}
            group by organisation_id, site_id, cut_id, completed_on
        ),
        measured as ({{ sums_by_period("daily", ["orders", "logged_orders", "labour_seconds", "meant_seconds", "linked_orders"]) }})
        {{
            kpi_rows(
                "measured",
                numerator=hours("meant_seconds"),
                denominator=hours("labour_seconds"),
                n="logged_orders",
                reasons=[("orders = 0", "nothing_completed"), ("labour_seconds = 0", "no_labour_logged")],
                covered="logged_orders",
                coverable="orders",
                basis=basis,
                records="orders",
            )
        }}
{% endmacro %}

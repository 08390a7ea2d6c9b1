with
    daily as (
        select organisation_id, site_id, cut_id, created_on as measured_on, count(*) as orders
        from {{ ref("int_work_orders") }}
        group by organisation_id, site_id, cut_id, created_on
    ),
    measured as ({{ sums_by_period("daily", ["orders"]) }})
    {{ kpi_rows("measured", numerator="orders", n="orders") }}

with
    daily as (
        select organisation_id, site_id, cut_id, completed_on as measured_on, count(*) as orders
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["orders"]) }})
    {{ kpi_rows("measured", numerator="orders", n="orders") }}

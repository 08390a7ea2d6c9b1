with
    daily as (
        select organisation_id, site_id, cut_id, created_on as measured_on, count(*) as requests
        from {{ ref("int_work_requests") }}
        where created_on is not null
        group by organisation_id, site_id, cut_id, created_on
    ),
    measured as ({{ sums_by_period("daily", ["requests"]) }})
    {{ kpi_rows("measured", numerator="requests", n="requests") }}

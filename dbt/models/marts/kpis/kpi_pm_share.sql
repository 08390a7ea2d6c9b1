with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as orders,
            sum(case when type = 'PREVENTIVE' then 1 else 0 end) as preventive
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["orders", "preventive"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="preventive",
            denominator="orders",
            n="orders",
            reasons=[("orders = 0", "nothing_completed")],
            has_interval=true,
        )
    }}

with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as orders,
            cast(sum(lead_seconds) as bigint) as lead_seconds
        from {{ ref("int_work_orders") }}
        where lead_seconds is not null and type = 'REACTIVE'
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["orders", "lead_seconds"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("lead_seconds"),
            denominator="orders",
            n="orders",
            reasons=[("orders = 0", "nothing_completed")],
        )
    }}

with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            created_on as measured_on,
            count(*) as orders,
            sum(case when is_completed and completed_at <= {{ plus_seconds("created_at", 604800) }} then 1 else 0 end) as completed
        from {{ ref("int_work_orders") }}
        where coalesce(status, '') != 'CANCELED'
        group by organisation_id, site_id, cut_id, created_on
    ),
    measured as ({{ sums_by_period("daily", ["orders", "completed"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="completed",
            denominator="orders",
            n="orders",
            reasons=[(plus_seconds("ends_at", 604800) ~ " > " ~ as_of(), "cohort_not_mature"), ("orders = 0", "nothing_created")],
            has_interval=true,
        )
    }}

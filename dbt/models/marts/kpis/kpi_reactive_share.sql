with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            1 as completed,
            case when type = 'REACTIVE' then 1 else 0 end as reactive
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
    ),
    measured as ({{ sums_by_period("daily", ["completed", "reactive"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="reactive",
            denominator="completed",
            n="completed",
            reasons=[("completed = 0", "nothing_completed")],
            interval="wilson",
        )
    }}

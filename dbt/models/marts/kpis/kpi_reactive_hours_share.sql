with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            1 as completed,
            case when labour_seconds > 0 then 1 else 0 end as logged,
            labour_seconds,
            case when type = 'REACTIVE' then labour_seconds else 0 end as reactive_seconds
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
    ),
    measured as ({{ sums_by_period("daily", ["completed", "logged", "labour_seconds", "reactive_seconds"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("reactive_seconds"),
            denominator=hours("labour_seconds"),
            n="logged",
            reasons=[("completed = 0", "nothing_completed"), ("labour_seconds = 0", "no_labour_logged")],
            covered="logged",
            coverable="completed",
            basis="'time_items'",
            records="completed",
        )
    }}

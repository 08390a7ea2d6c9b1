with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            1 as completed,
            case when estimated_seconds > 0 and labour_seconds > 0 then 1 else 0 end as comparable,
            case when estimated_seconds > 0 and labour_seconds > 0 then labour_seconds else 0 end as actual_seconds,
            case when estimated_seconds > 0 and labour_seconds > 0 then estimated_seconds else 0 end as expected_seconds
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
    ),
    measured as ({{ sums_by_period("daily", ["completed", "comparable", "actual_seconds", "expected_seconds"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("actual_seconds"),
            denominator=hours("expected_seconds"),
            n="comparable",
            reasons=[("completed = 0", "nothing_completed"), ("comparable = 0", "no_estimates")],
            covered="comparable",
            coverable="completed",
            basis="'time_items'",
            records="completed",
        )
    }}

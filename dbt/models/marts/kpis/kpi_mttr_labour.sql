with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as repairs,
            sum(case when labour_seconds > 0 then 1 else 0 end) as logged,
            sum(case when labour_seconds > 0 then labour_seconds else 0 end) as labour_seconds
        from {{ ref("int_work_orders") }}
        where type = 'REACTIVE' and is_completed and completed_on is not null
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["repairs", "logged", "labour_seconds"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("labour_seconds"),
            denominator="logged",
            n="logged",
            reasons=[("repairs = 0", "nothing_completed"), ("logged = 0", "no_labour_logged")],
            covered="logged",
            coverable="repairs",
            basis="'time_items'",
            records="repairs",
        )
    }}

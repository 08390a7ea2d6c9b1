with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as repairs,
            sum(case when asset_id is null then 0 else 1 end) as placed,
            sum(case when asset_id is null or is_repeated or is_reopened then 0 else 1 end) as fixed
        from {{ ref("int_repeat_repairs") }}
        where completed_on is not null
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["repairs", "placed", "fixed"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="fixed",
            denominator="placed",
            n="placed",
            reasons=[
                ("not is_mature", "cohort_not_mature"),
                ("repairs = 0", "nothing_completed"),
                ("placed = 0", "no_assets"),
            ],
            covered="placed",
            coverable="repairs",
            records="repairs",
            interval="wilson",
        )
    }}

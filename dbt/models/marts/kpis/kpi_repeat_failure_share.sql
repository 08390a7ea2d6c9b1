with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            created_on as measured_on,
            count(*) as correctives,
            sum(case when asset_id is null then 0 else 1 end) as placed,
            sum(case when is_repeat then 1 else 0 end) as repeats
        from {{ ref("int_repeat_repairs") }}
        group by organisation_id, site_id, cut_id, created_on
    ),
    measured as ({{ sums_by_period("daily", ["correctives", "placed", "repeats"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="repeats",
            denominator="placed",
            n="placed",
            reasons=[("correctives = 0", "nothing_created"), ("placed = 0", "no_assets")],
            covered="placed",
            coverable="correctives",
            records="correctives",
            interval="wilson",
        )
    }}

with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as repairs,
            sum(case when repair_basis = 'rca' then 1 else 0 end) as rca_repairs,
            sum(case when repair_basis = 'rca' then repair_seconds else 0 end) as rca_seconds,
            sum(case when repair_basis = 'status' then 1 else 0 end) as status_repairs,
            sum(case when repair_basis = 'status' then repair_seconds else 0 end) as status_seconds
        from {{ ref("fct_work_orders") }}
        where type = 'REACTIVE' and is_completed and completed_on is not null
        group by organisation_id, site_id, cut_id, completed_on
    ),
    summed as ({{ sums_by_period("daily", ["repairs", "rca_repairs", "rca_seconds", "status_repairs", "status_seconds"]) }}),
    measured as (
        select
            *,
            case when rca_repairs >= status_repairs then 'rca' else 'status' end as chosen_basis,
            case when rca_repairs >= status_repairs then rca_repairs else status_repairs end as evidenced,
            case when rca_repairs >= status_repairs then rca_seconds else status_seconds end as repair_seconds
        from summed
    )
    {{
        kpi_rows(
            "measured",
            numerator=hours("repair_seconds"),
            denominator="evidenced",
            n="evidenced",
            reasons=[("repairs = 0", "nothing_completed"), ("evidenced = 0", "no_repair_evidence")],
            covered="evidenced",
            coverable="repairs",
            basis="chosen_basis",
            basis_shares=basis_shares({"rca": "rca_repairs", "status": "status_repairs"}, "repairs"),
            records="repairs",
        )
    }}

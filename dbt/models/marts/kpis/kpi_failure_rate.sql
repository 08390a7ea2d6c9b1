with
    measured as ({{ reliability_sums("period") }})
    {{
        kpi_rows(
            "measured",
            numerator="failures",
            denominator=hours("up_seconds") ~ " / 1000",
            n="failures",
            reasons=no_hours_reasons() + [("up_seconds = 0", "no_operating_time")],
            covered="tracked_assets",
            coverable="assets",
            basis=hours_basis(),
            basis_shares=hours_basis_shares(),
            records="tracked_assets + failures",
            interval="poisson",
            low=ratio("poisson_low * 1000", hours("up_seconds")),
            high=ratio("case when failures = 0 then 3 else poisson_high end * 1000", hours("up_seconds")),
        )
    }}

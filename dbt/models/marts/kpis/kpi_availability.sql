with
    measured as ({{ reliability_sums("period") }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("up_seconds"),
            denominator=hours("available_seconds"),
            n="tracked_assets",
            reasons=no_hours_reasons(),
            covered="tracked_assets",
            coverable="assets",
            basis=hours_basis(),
            basis_shares=hours_basis_shares(),
        )
    }}

with
    measured as ({{ reliability_sums("period") }})
    {{
        kpi_rows(
            "measured",
            numerator="failures",
            n="failures",
            reasons=[("tracked_seconds = 0 and failures = 0", "no_status_tracking")],
            covered="tracked_assets",
            coverable="assets",
            records="tracked_assets + failures",
            interval="poisson",
            low="case when tracked_seconds > 0 then poisson_low end",
            high="case when tracked_seconds > 0 then poisson_high end",
        )
    }}

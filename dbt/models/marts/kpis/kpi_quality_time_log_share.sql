{{
    quality_share(
        "labour_seconds > 0", counted_on="completed_on", cohort="is_completed and completed_on is not null", reason="nothing_completed"
    )
}}

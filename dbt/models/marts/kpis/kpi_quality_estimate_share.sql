{{ quality_share("estimated_seconds is not null") }}

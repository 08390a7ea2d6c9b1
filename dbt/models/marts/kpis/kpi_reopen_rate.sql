with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as completions,
            sum(case when is_undone then 1 else 0 end) as undone
        from {{ ref("int_completions") }}
        group by organisation_id, site_id, cut_id, completed_on
    ),
    summed as ({{ sums_by_period("daily", ["completions", "undone"]) }}),
    measured as (
        select summed.*, coalesce(summed.period_start_on > first_readings.known_on, false) as is_seen
        from summed
        left join {{ ref("int_first_readings") }} as first_readings on summed.organisation_id = first_readings.organisation_id
    )
    {{
        kpi_rows(
            "measured",
            numerator="undone",
            denominator="completions",
            n="case when is_seen then completions else 0 end",
            records="completions",
            reasons=[("not is_seen", "not_observed_yet"), ("completions = 0", "nothing_completed")],
            interval="wilson",
        )
    }}

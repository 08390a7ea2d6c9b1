with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            week_start_on as measured_on,
            count(*) as scheduled,
            sum(case when is_done_in_week then 1 else 0 end) as done
        from {{ ref("int_schedules") }}
        group by organisation_id, site_id, cut_id, week_start_on
    ),
    summed as ({{ sums_by_period("daily", ["scheduled", "done"]) }}),
    measured as (
        select summed.*, coalesce({{ add_days("summed.period_start_on", -4) }} >= first_readings.known_on, false) as is_seen
        from summed
        left join {{ ref("int_first_readings") }} as first_readings on summed.organisation_id = first_readings.organisation_id
    )
    {{
        kpi_rows(
            "measured",
            numerator="done",
            denominator="scheduled",
            n="case when is_seen then scheduled else 0 end",
            records="scheduled",
            reasons=[("not is_seen", "not_observed_yet"), ("scheduled = 0", "nothing_scheduled")],
            interval="wilson",
        )
    }}

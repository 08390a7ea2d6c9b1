with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            week_start_on as measured_on,
            count(*) as scheduled,
            sum(case when planned_seconds is not null then 1 else 0 end) as planned,
            sum(case when has_own_estimate then 1 else 0 end) as own_estimates,
            sum(case when is_done_in_week then coalesce(planned_seconds, 0) else 0 end) as done_seconds,
            0 as crew_seconds
        from {{ ref("int_schedules") }}
        group by organisation_id, site_id, cut_id, week_start_on
        union all
        select
            organisation_id,
            site_id,
            cast(null as {{ dbt.type_bigint() }}) as cut_id,
            period_start_on as measured_on,
            0 as scheduled,
            0 as planned,
            0 as own_estimates,
            0 as done_seconds,
            cast(round(crew_hours_per_week * 3600) as {{ dbt.type_bigint() }}) as crew_seconds
        from {{ ref("int_kpi_periods") }}
        where scope_type = 'site' and period_grain = 'week' and not is_open and crew_hours_per_week is not null
    ),
    summed as ({{ sums_by_period("daily", ["scheduled", "planned", "own_estimates", "done_seconds", "crew_seconds"]) }}),
    measured as (
        select summed.*, coalesce({{ add_days("summed.period_start_on", -4) }} >= first_readings.known_on, false) as is_seen
        from summed
        left join {{ ref("int_first_readings") }} as first_readings on summed.organisation_id = first_readings.organisation_id
    )
    {{
        kpi_rows(
            "measured",
            numerator=hours("done_seconds"),
            denominator=hours("crew_seconds"),
            n="case when is_seen then planned else 0 end",
            reasons=[
                ("not is_seen", "not_observed_yet"),
                ("crew_hours_per_week is null", "no_crew_hours"),
                ("crew_seconds = 0", "no_week_over"),
                ("scheduled > 0 and planned = 0", "no_estimates"),
            ],
            covered="case when is_seen then own_estimates end",
            coverable="scheduled",
        )
    }}

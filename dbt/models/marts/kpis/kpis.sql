{% set kpis = [
    "created",
    "completed",
    "lead_time",
    "lead_time_median",
    "lead_time_reactive",
    "lead_time_reactive_median",
    "mttr",
    "mttr_labour",
    "repeat_failure_share",
    "first_time_fix",
    "mean_downtime",
    "mean_downtime_median",
    "mean_downtime_p90",
    "downtime_hours_planned",
    "downtime_hours_unplanned",
    "downtime_hours_unknown",
    "availability",
    "availability_inherent",
    "failures",
    "failure_rate",
    "mtbf",
    "mtbf_90_days",
    "mtbf_365_days",
    "mtbm",
    "labour_hours",
    "estimate_accuracy",
    "reactive_hours_share",
    "reactive_share",
    "cost_total",
    "cost_per_order",
    "labour_cost",
    "parts_cost",
    "other_cost",
    "pm_compliance",
    "pm_compliance_plus_1_day",
    "pm_compliance_10_percent",
    "pm_compliance_20_percent",
    "pm_skip_rate",
    "pm_cancel_rate",
    "pm_due_push_rate",
    "pm_overdue_share",
    "pm_overdue_1_7_days_count",
    "pm_overdue_8_30_days_count",
    "pm_overdue_31_90_days_count",
    "pm_overdue_over_90_days_count",
    "pm_interval_compliance",
    "pm_yield",
    "vendor_on_time_share",
    "backlog_count",
    "backlog_upcoming_count",
    "backlog_overdue_count",
    "backlog_hours",
    "backlog_crew_weeks",
    "reopen_rate",
    "schedule_compliance",
    "schedule_compliance_hours",
    "opened",
    "closed",
    "backlog_flow",
    "backlog_ready_count",
    "backlog_ready_hours",
    "backlog_ready_crew_weeks",
    "backlog_imputed_share",
    "backlog_age_0_7_days_count",
    "backlog_age_8_30_days_count",
    "backlog_age_31_90_days_count",
    "backlog_age_over_90_days_count",
    "backlog_age_median_days",
    "backlog_age_p90_days",
    "completion_within_7_days",
    "completion_within_30_days",
    "completion_rate",
    "pm_share",
    "pm_hours_share",
    "planned_hours_share",
    "unplanned_hours_share",
    "proactive_hours_share",
    "requests_created",
    "request_rejection_rate",
    "request_triage_hours",
    "request_triage_hours_median",
    "quality_asset_share",
    "quality_type_share",
    "quality_due_share",
    "quality_estimate_share",
    "quality_priority_share",
    "quality_criticality_share",
    "quality_time_log_share",
    "quality_batch_closed_share",
] %}
with
    measured as ({% for kpi in kpis %}select * from {{ ref("kpi_" ~ kpi) }} {{ "union all" if not loop.last }} {% endfor %}),
    differing as (
        select distinct
            measured.kpi, measured.organisation_id, measured.scope_type, measured.scope_id, measured.period_grain, measured.period_start_on
        from measured
        inner join
            {{ ref("stg_kpi_reported") }} as reported
            on measured.kpi = reported.kpi
            and measured.organisation_id = reported.organisation_id
            and measured.scope_type = reported.scope_type
            and measured.scope_id = reported.scope_id
            and measured.period_grain = reported.period_grain
            and measured.period_start_on = reported.period_start_on
            and measured.definition_version = reported.definition_version
        where
            measured.window_state = 'closed'
            and reported.window_state in ('closed', 'restated')
            and (
                measured.value is distinct from reported.value
                or measured.numerator is distinct from reported.numerator
                or measured.denominator is distinct from reported.denominator
            )
    )
select
    measured.kpi,
    measured.organisation_id,
    measured.site_id,
    measured.scope_type,
    measured.scope_id,
    measured.period_grain,
    measured.period_start_on,
    measured.period_end_on,
    measured.starts_at,
    measured.ends_at,
    measured.time_zone,
    measured.value,
    measured.unit,
    measured.currency,
    measured.numerator,
    measured.denominator,
    measured.n,
    measured.coverage_share,
    measured.basis,
    measured.basis_shares,
    measured.interval_low,
    measured.interval_high,
    measured.interval_kind,
    coalesce(targets.target, measured.target) as target,
    measured.reason,
    case when differing.kpi is not null then 'restated' else measured.window_state end as window_state,
    measured.is_additive,
    measured.as_of,
    measured.data_to,
    measured.definition_version
from measured
left join
    differing
    on measured.kpi = differing.kpi
    and measured.organisation_id = differing.organisation_id
    and measured.scope_type = differing.scope_type
    and measured.scope_id = differing.scope_id
    and measured.period_grain = differing.period_grain
    and measured.period_start_on = differing.period_start_on
left join {{ ref("stg_kpi_targets") }} as targets on measured.kpi = targets.kpi and measured.site_id = targets.site_id

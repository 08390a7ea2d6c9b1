{% set reasons = [] %}
{% for reason in ["no_status_tracking", "no_operating_time", "no_failures", "no_repair_evidence", "nothing_completed"] %}
    {% do reasons.append(("why = '" ~ reason ~ "'", reason)) %}
{% endfor %}
with
    measured as (
        select
            uptime.organisation_id,
            uptime.site_id,
            uptime.scope_type,
            uptime.scope_id,
            uptime.period_grain,
            uptime.period_start_on,
            uptime.period_end_on,
            uptime.starts_at,
            uptime.ends_at,
            uptime.time_zone,
            uptime.window_state = 'open' as is_open,
            coalesce(uptime.reason != 'not_observed_yet', true) as is_observed,
            uptime.data_to,
            uptime.n as failures,
            uptime.coverage_share as tracked_share,
            uptime.value as hours_between,
            repairs.value as repair_hours,
            repairs.basis as repair_basis,
            coalesce(uptime.reason, case when repairs.value is null then coalesce(repairs.reason, 'nothing_completed') end) as why
        from {{ ref("kpi_mtbf") }} as uptime
        left join
            {{ ref("kpi_mttr") }} as repairs
            on uptime.organisation_id = repairs.organisation_id
            and uptime.scope_type = repairs.scope_type
            and uptime.scope_id = repairs.scope_id
            and uptime.period_grain = repairs.period_grain
            and uptime.period_start_on = repairs.period_start_on
    )
    {{
        kpi_rows(
            "measured",
            numerator="hours_between",
            denominator="hours_between + repair_hours",
            n="failures",
            reasons=reasons,
            covered="tracked_share",
            coverable="1",
            basis="repair_basis",
            records="1",
            is_additive=false,
        )
    }}

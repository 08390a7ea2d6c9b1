with
    measured as (
        select
            uptime.*,
            repairs.value as repair_hours,
            repairs.basis as repair_basis,
            repairs.reason as repair_reason,
            uptime.value as hours_between,
            uptime.reason as uptime_reason
        from {{ ref("kpi_mtbf") }} as uptime
        left join
            {{ ref("kpi_mttr") }} as repairs
            on uptime.organisation_id = repairs.organisation_id
            and uptime.scope_type = repairs.scope_type
            and uptime.scope_id = repairs.scope_id
            and uptime.period_grain = repairs.period_grain
            and uptime.period_start_on = repairs.period_start_on
    )

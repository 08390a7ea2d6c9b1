with
    daily as (
        select organisation_id, site_id, cut_id, booked_on as measured_on, total_cost_cents, 0 as completed, 1 as costed
        from {{ ref("fct_work_order_costs") }}
        where booking_basis = 'completed' and total_cost_cents != 0
        union all
        select organisation_id, site_id, cut_id, completed_on as measured_on, 0 as total_cost_cents, 1 as completed, 0 as costed
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
    ),
    summed as ({{ sums_by_period("daily", ["total_cost_cents", "completed", "costed"]) }}),
    measured as ({{ with_currency("summed") }})
    {{
        kpi_rows(
            "measured",
            numerator="total_cost_cents / 100",
            denominator="completed",
            n="completed",
            reasons=[("currencies > 1", "mixed_currencies"), ("completed = 0", "nothing_completed")],
            covered="costed",
            coverable="completed",
            currency=one_currency(),
        )
    }}

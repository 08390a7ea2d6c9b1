with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            due_on as measured_on,
            count(*) as orders,
            sum(
                case when is_completed and completed_at <= due_at then 1 when not is_completed and due_at > {{ as_of() }} then 1 else 0 end
            ) as on_time
        from {{ ref("int_work_orders") }}
        where due_on is not null and coalesce(status, '') not in ('CANCELED', 'SKIPPED')
        group by organisation_id, site_id, cut_id, due_on
    ),
    measured as ({{ sums_by_period("daily", ["orders", "on_time"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="on_time",
            denominator="orders",
            n="orders",
            reasons=[("orders = 0", "nothing_due")],
            has_interval=true,
        )
    }}

with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            booked_on as measured_on,
            0 as completed,
            0 as logged,
            sum(labour_seconds) as labour_seconds,
            count(*) as bookings,
            sum(case when booking_basis = 'completed' then 1 else 0 end) as completed_bookings
        from {{ ref("fct_work_order_costs") }}
        where labour_seconds != 0
        group by organisation_id, site_id, cut_id, booked_on
        union all
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as completed,
            sum(case when labour_seconds > 0 then 1 else 0 end) as logged,
            0 as labour_seconds,
            0 as bookings,
            0 as completed_bookings
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["completed", "logged", "labour_seconds", "bookings", "completed_bookings"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("labour_seconds"),
            n="bookings",
            covered="logged",
            coverable="completed",
            basis=booking_basis(),
            basis_shares=basis_shares({"completed": "completed_bookings", "observed": "(bookings - completed_bookings)"}, "bookings"),
            records="bookings + completed",
        )
    }}

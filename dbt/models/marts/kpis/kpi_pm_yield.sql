with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            completed_on as measured_on,
            count(*) as done,
            sum(case when has_found_work then 1 else 0 end) as fruitful,
            sum(case when has_parent_links then 1 else 0 end) as linked
        from {{ ref("int_maintenance_hours") }}
        where is_preventive
        group by organisation_id, site_id, cut_id, completed_on
    ),
    measured as ({{ sums_by_period("daily", ["done", "fruitful", "linked"]) }})
    {{
        kpi_rows(
            "measured",
            numerator="fruitful",
            denominator="done",
            n="done",
            reasons=[("done = 0", "nothing_completed"), ("linked = 0", "parent_not_in_list")],
            basis="'parent_links'",
            has_interval=true,
        )
    }}

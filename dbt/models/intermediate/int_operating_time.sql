with
    shifts as (
        select
            hours.organisation_id,
            hours.site_id,
            hours.starts_second as piece_id,
            {{ wall_time("dates.date_on", "hours.starts_second", "sites.time_zone") }} as started_at,
            {{ wall_time("dates.date_on", "hours.ends_second", "sites.time_zone") }} as ended_at
        from {{ ref("stg_site_hours") }} as hours
        inner join {{ ref("dim_sites") }} as sites on hours.site_id = sites.site_id
        inner join {{ ref("dim_dates") }} as dates on hours.weekday = {{ days_between("dates.week_start_on", "dates.date_on") }} + 1
        left join {{ ref("stg_site_holidays") }} as holidays on hours.site_id = holidays.site_id and dates.date_on = holidays.holiday_on
        where holidays.holiday_on is null
    ),
    real_shifts as (select * from shifts where ended_at > started_at)
select organisation_id, site_id, started_at, ended_at
from ({{ merged_intervals("real_shifts", ["organisation_id", "site_id"]) }}) as merged

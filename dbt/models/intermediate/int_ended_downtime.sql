select
    stops.organisation_id,
    stops.site_id,
    stops.cut_id,
    stops.asset_id,
    stops.started_at,
    coalesce(stops.ended_on, {{ local_date(as_of(), "sites.time_zone") }}) as measured_on,
    case when stops.is_ongoing then 0 else 1 end as ended,
    case when stops.is_ongoing then 1 else 0 end as ongoing,
    case when not stops.is_ongoing then stops.downtime_seconds end as ended_seconds
from {{ ref("fct_downtime") }} as stops
inner join {{ ref("dim_sites") }} as sites on stops.site_id = sites.site_id
where stops.downtime_type = 'unplanned'

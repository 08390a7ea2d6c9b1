select
    requests.organisation_id,
    requests.work_request_id,
    places.site_id,
    cuts.cut_id,
    requests.title,
    requests.priority,
    requests.status,
    coalesce(requests.status in ('APPROVED', 'REJECTED', 'DONE'), false) as is_decided,
    coalesce(requests.status = 'REJECTED', false) as is_rejected,
    requests.asset_id,
    requests.location_id,
    requests.creator_id,
    requests.work_order_id,
    orders.created_at as order_created_at,
    requests.created_at,
    {{ local_date("requests.created_at", "sites.time_zone") }} as created_on,
    requests.updated_at,
    sites.time_zone
from {{ ref("stg_work_requests") }} as requests
inner join
    {{ ref("int_work_request_places") }} as places
    on requests.organisation_id = places.organisation_id
    and requests.work_request_id = places.work_request_id
inner join {{ ref("int_cuts") }} as cuts on places.organisation_id = cuts.organisation_id and places.cut_key = cuts.cut_key
left join {{ ref("dim_sites") }} as sites on places.site_id = sites.site_id
left join
    {{ ref("stg_work_orders") }} as orders
    on requests.organisation_id = orders.organisation_id
    and requests.work_order_id = orders.work_order_id

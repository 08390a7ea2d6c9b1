select
    places.organisation_id,
    places.asset_id,
    places.version_number,
    places.asset_name,
    places.parent_asset_id,
    places.location_id,
    places.site_id,
    cuts.cut_id,
    places.valid_from,
    places.valid_to,
    places.deleted_at,
    places.valid_to is null as is_last
from {{ ref("int_asset_places") }} as places
inner join {{ ref("int_cuts") }} as cuts on places.organisation_id = cuts.organisation_id and places.cut_key = cuts.cut_key

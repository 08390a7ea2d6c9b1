with
    estimated as (
        select orders.organisation_id, orders.type, assets.asset_type, orders.estimated_seconds
        from {{ ref("stg_work_orders") }} as orders
        left join {{ ref("dim_assets") }} as assets on orders.organisation_id = assets.organisation_id and orders.asset_id = assets.asset_id
        where orders.estimated_seconds is not null and orders.type is not null
    ),
    by_asset_type as (
        select distinct
            organisation_id,
            type,
            asset_type,
            {{ median("estimated_seconds", ["organisation_id", "type", "asset_type"]) }} as median_seconds
        from estimated
        where asset_type is not null
    ),
    by_type as (
        select distinct organisation_id, type, {{ median("estimated_seconds", ["organisation_id", "type"]) }} as median_seconds
        from estimated
    )
select organisation_id, type, asset_type, cast(floor(median_seconds) as bigint) as imputed_seconds
from by_asset_type
union all
select organisation_id, type, null as asset_type, cast(floor(median_seconds) as bigint) as imputed_seconds
from by_type

with
    labour as (
        select
            organisation_id,
            work_order_id,
            cast(sum(duration_seconds) as bigint) as labour_seconds,
            cast(sum(amount_cents) as bigint) as labour_cost_cents,
            count(*) as time_item_count
        from {{ ref("stg_work_order_time_items") }}
        group by organisation_id, work_order_id
    ),
    parts as (
        select
            organisation_id,
            work_order_id,
            cast(sum(cast(round(quantity * unit_cost_cents) as bigint)) as bigint) as parts_cost_cents,
            count(*) as part_count
        from {{ ref("stg_work_order_parts") }}
        group by organisation_id, work_order_id
    ),
    costs as (
        select organisation_id, work_order_id, cast(sum(amount_cents) as bigint) as other_cost_cents
        from {{ ref("stg_work_order_costs") }}
        group by organisation_id, work_order_id
    ),
    placed as (
        select
            orders.*,
            assets.asset_type,
            orders.asset_id is not null and not coalesce(assets.is_known, false) as is_orphan_asset,
            places.site_id,
            cuts.cut_id,
            coalesce(locations.location_path, place_locations.location_path) as location_path
        from {{ ref("stg_work_orders") }} as orders
        inner join
            {{ ref("int_work_order_places") }} as places
            on orders.organisation_id = places.organisation_id
            and orders.work_order_id = places.work_order_id
        inner join {{ ref("int_cuts") }} as cuts on places.organisation_id = cuts.organisation_id and places.cut_key = cuts.cut_key
        left join
            {{ ref("dim_locations") }} as locations
            on orders.organisation_id = locations.organisation_id
            and orders.location_id = locations.location_id
        left join
            {{ ref("dim_locations") }} as place_locations
            on places.organisation_id = place_locations.organisation_id
            and places.location_id = place_locations.location_id
        left join {{ ref("dim_assets") }} as assets on orders.organisation_id = assets.organisation_id and orders.asset_id = assets.asset_id
    ),
    dated as (
        select
            placed.*,
            sites.time_zone,
            sites.organisation_time_zone,
            sites.currency,
            {{ local_date("placed.created_at", "sites.time_zone") }} as created_on,
            {{ local_date("placed.completed_at", "sites.time_zone") }} as completed_on,
            {{ deadline("placed.due_at", "placed.is_due_full_day", "sites.organisation_time_zone", "sites.time_zone") }} as deadline_at,
            {{ due_date("placed.due_at", "placed.is_due_full_day", "sites.organisation_time_zone", "sites.time_zone") }} as due_on,
            placed.status = 'DONE' and placed.completed_at < placed.created_at as is_completed_early,
            case
                when placed.status = 'DONE' and placed.completed_at >= placed.created_at
                then {{ seconds_between("placed.created_at", "placed.completed_at") }}
            end as lead_seconds
        from placed
        left join {{ ref("dim_sites") }} as sites on placed.site_id = sites.site_id
    )
select
    dated.organisation_id,
    dated.work_order_id,
    dated.site_id,
    dated.cut_id,
    dated.sequential_id,
    dated.title,
    dated.type,
    dated.priority,
    dated.status,
    coalesce(dated.status in ('OPEN', 'IN_PROGRESS', 'ON_HOLD'), false) as is_active,
    coalesce(dated.status = 'DONE', false) as is_completed,
    coalesce(dated.status in ('DONE', 'CANCELED', 'SKIPPED'), false) as is_closed,
    dated.asset_id,
    dated.location_id,
    dated.location_path,
    dated.time_zone,
    dated.organisation_time_zone,
    dated.created_at,
    dated.created_on,
    dated.updated_at,
    dated.start_at,
    dated.deadline_at as due_at,
    dated.due_on,
    dated.completed_at,
    dated.completed_on,
    dated.completer_id,
    dated.parent_id,
    dated.lead_seconds,
    {{ hours("dated.lead_seconds") }} as lead_hours,
    coalesce(dated.is_completed_early, false) as has_negative_lead,
    coalesce(labour.labour_seconds, 0) as labour_seconds,
    coalesce(labour.time_item_count, 0) as time_item_count,
    coalesce(parts.parts_cost_cents, 0) as parts_cost_cents,
    coalesce(parts.part_count, 0) as part_count,
    coalesce(labour.labour_cost_cents, 0) as labour_cost_cents,
    coalesce(costs.other_cost_cents, 0) as other_cost_cents,
    dated.currency,
    dated.estimated_seconds,
    coalesce(dated.estimated_seconds, by_asset_type.imputed_seconds, by_type.imputed_seconds) as planned_seconds,
    dated.estimated_seconds is null and coalesce(by_asset_type.imputed_seconds, by_type.imputed_seconds) is not null as is_estimate_imputed,
    dated.is_orphan_asset,
    dated.version_number,
    dated.content_hash,
    dated.run_id
from dated
left join labour on dated.organisation_id = labour.organisation_id and dated.work_order_id = labour.work_order_id
left join parts on dated.organisation_id = parts.organisation_id and dated.work_order_id = parts.work_order_id
left join costs on dated.organisation_id = costs.organisation_id and dated.work_order_id = costs.work_order_id
left join
    {{ ref("int_estimate_medians") }} as by_asset_type
    on dated.organisation_id = by_asset_type.organisation_id
    and dated.type = by_asset_type.type
    and dated.asset_type = by_asset_type.asset_type
left join
    {{ ref("int_estimate_medians") }} as by_type
    on dated.organisation_id = by_type.organisation_id
    and dated.type = by_type.type
    and by_type.asset_type is null

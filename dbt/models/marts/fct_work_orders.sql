select
    orders.organisation_id,
    orders.work_order_id,
    orders.site_id,
    orders.cut_id,
    orders.sequential_id,
    orders.title,
    orders.type,
    orders.priority,
    orders.status,
    orders.is_active,
    orders.is_completed,
    orders.asset_id,
    orders.location_id,
    orders.created_at,
    orders.created_on,
    orders.start_at,
    orders.due_at,
    orders.due_on,
    original.original_due_at,
    original.original_due_on,
    orders.completed_at,
    orders.completed_on,
    closings.closed_at,
    closings.closed_basis,
    orders.lead_seconds,
    orders.lead_hours,
    orders.has_negative_lead,
    orders.labour_seconds,
    orders.time_item_count,
    orders.parts_cost_cents,
    orders.labour_cost_cents,
    orders.other_cost_cents,
    orders.currency,
    orders.estimated_seconds,
    orders.planned_seconds,
    orders.is_estimate_imputed,
    repairs.repair_seconds,
    repairs.repair_basis,
    orders.is_orphan_asset,
    orders.time_zone,
    orders.version_number,
    orders.content_hash,
    orders.run_id
from {{ ref("int_work_orders") }} as orders
left join
    {{ ref("int_work_order_closings") }} as closings
    on orders.organisation_id = closings.organisation_id
    and orders.work_order_id = closings.work_order_id
left join
    {{ ref("int_original_due_dates") }} as original
    on orders.organisation_id = original.organisation_id
    and orders.work_order_id = original.work_order_id
left join
    {{ ref("int_repairs") }} as repairs on orders.organisation_id = repairs.organisation_id and orders.work_order_id = repairs.work_order_id

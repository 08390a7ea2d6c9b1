select organisation_id, id as maintenance_plan_id, position, asset_id
from ({{ latest_children("maintenance_plan_assets", "stg_maintenance_plans", "maintenance_plan_id", ["asset_id"]) }}) as latest

select
    organisation_id,
    id as part_id,
    name as part_name,
    unit_cost_cents,
    in_stock_quantity,
    minimum_quantity,
    created_at,
    updated_at,
    version_number,
    content_hash,
    run_id,
    observed_at
from
    (
        {{
            latest_versions(
                "parts",
                [
                    "organisation_id",
                    "id",
                    "version_number",
                    "content_hash",
                    "run_id",
                    "observed_at",
                    "name",
                    "unit_cost_cents",
                    "in_stock_quantity",
                    "minimum_quantity",
                    "created_at",
                    "updated_at",
                ],
            )
        }}
    ) as latest

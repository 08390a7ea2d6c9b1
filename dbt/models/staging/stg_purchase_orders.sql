select organisation_id, id as purchase_order_id, status, created_at, updated_at, version_number, content_hash, run_id, observed_at
from
    (
        {{
            latest_versions(
                "purchase_orders",
                [
                    "organisation_id",
                    "id",
                    "version_number",
                    "content_hash",
                    "run_id",
                    "observed_at",
                    "status",
                    "created_at",
                    "updated_at",
                ],
            )
        }}
    ) as latest

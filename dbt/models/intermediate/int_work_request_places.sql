with
    records as (
        select
            organisation_id,
            work_request_id,
            asset_id,
            location_id,
            created_at as placed_at,
            cast(null as {{ dbt.type_string() }}) as team_key
        from {{ ref("stg_work_requests") }}
    )
    {{ placed("records", "work_request_id") }}

{% set no_location = "cast(null as " ~ dbt.type_bigint() ~ ")" %}
with
    records as (
        select
            organisation_id,
            asset_status_id,
            asset_id,
            {{ no_location }} as location_id,
            started_at as placed_at,
            cast(null as {{ dbt.type_string() }}) as team_key
        from {{ ref("stg_asset_statuses") }}
        where asset_id is not null
    )
    {{ placed("records", "asset_status_id") }}

with
    teams as (
        select organisation_id, work_order_id, {{ joined_text("cast(team_id as " ~ dbt.type_string() ~ ")") }} as team_key
        from {{ ref("int_work_order_teams") }}
        group by organisation_id, work_order_id
    ),
    records as (
        select
            orders.organisation_id,
            orders.work_order_id,
            orders.asset_id,
            orders.location_id,
            orders.created_at as placed_at,
            teams.team_key
        from {{ ref("stg_work_orders") }} as orders
        left join teams on orders.organisation_id = teams.organisation_id and orders.work_order_id = teams.work_order_id
    )
    {{ placed("records", "work_order_id") }}

{% set daily %}
(
    select
        orders.organisation_id,
        orders.site_id,
        orders.cut_id,
        orders.created_on as measured_on,
        count(*) as created,
        sum(case when assets.criticality_id is not null then 1 else 0 end) as told
    from {{ ref("int_work_orders") }} as orders
    left join {{ ref("stg_assets") }} as assets on orders.organisation_id = assets.organisation_id and orders.asset_id = assets.asset_id
    group by orders.organisation_id, orders.site_id, orders.cut_id, orders.created_on
)
{% endset %}
{{ share_rows(daily, "created", "told", "nothing_created") }}

{% set daily %}
(
    select
        orders.organisation_id,
        orders.site_id,
        orders.cut_id,
        orders.completed_on as measured_on,
        count(*) as done,
        count(closings.work_order_id) as with_closer,
        sum(case when closings.is_batch_closed then 1 else 0 end) as batch_closed
    from {{ ref("int_work_orders") }} as orders
    left join
        {{ ref("int_batch_closings") }} as closings
        on orders.organisation_id = closings.organisation_id
        and orders.work_order_id = closings.work_order_id
    where orders.is_completed and orders.completed_on is not null
    group by orders.organisation_id, orders.site_id, orders.cut_id, orders.completed_on
)
{% endset %}
{{
    share_rows(
        daily,
        "with_closer",
        "batch_closed",
        "closer_not_known",
        coverable="done",
        reasons=[("done = 0", "nothing_completed")],
    )
}}

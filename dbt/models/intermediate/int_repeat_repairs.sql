{# A corrective order is a repeat when it follows the completion of another one on the same asset by less than this. -#}
{% set within = 2592000 %}
with
    correctives as (
        select
            organisation_id,
            work_order_id,
            site_id,
            cut_id,
            asset_id,
            created_at,
            created_on,
            case when is_completed then completed_at end as completed_at,
            case when is_completed then completed_on end as completed_on
        from {{ ref("int_work_orders") }}
        where type = 'REACTIVE' and status != 'CANCELED'
    ),
    followed as (
        select distinct
            correctives.organisation_id, correctives.work_order_id as earlier_order_id, later_orders.work_order_id as later_order_id
        from correctives
        inner join
            correctives as later_orders
            on correctives.organisation_id = later_orders.organisation_id
            and correctives.asset_id = later_orders.asset_id
            and correctives.work_order_id != later_orders.work_order_id
            and later_orders.created_at >= correctives.completed_at
            and later_orders.created_at < {{ plus_seconds("correctives.completed_at", within) }}
    ),
    repeats as (select distinct organisation_id, later_order_id as work_order_id from followed),
    repeated as (select distinct organisation_id, earlier_order_id as work_order_id from followed),
    reopened as (
        select distinct organisation_id, work_order_id
        from {{ ref("int_work_order_versions") }}
        where previous_status = 'DONE' and status != 'DONE'
    )
select
    correctives.*,
    correctives.asset_id is not null and repeats.work_order_id is not null as is_repeat,
    repeated.work_order_id is not null as is_repeated,
    reopened.work_order_id is not null as is_reopened
from correctives
left join repeats on correctives.organisation_id = repeats.organisation_id and correctives.work_order_id = repeats.work_order_id
left join repeated on correctives.organisation_id = repeated.organisation_id and correctives.work_order_id = repeated.work_order_id
left join reopened on correctives.organisation_id = reopened.organisation_id and correctives.work_order_id = reopened.work_order_id

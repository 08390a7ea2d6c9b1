{% set measures = [
    "labour_seconds",
    "priced_labour_seconds",
    "labour_cost_cents",
    "parts_cost_cents",
    "part_lines",
    "priced_part_lines",
    "other_cost_cents",
] %}
with
    booked_when_done as (
        select organisation_id, work_order_id, version_number, completed_on as booked_on
        from {{ ref("int_work_orders") }}
        where is_completed and completed_on is not null
    ),
    steps as (
        select
            versions.organisation_id,
            versions.work_order_id,
            versions.version_number,
            versions.previous_version_number,
            {{ local_date("versions.observed_at", "orders.time_zone") }} as booked_on
        from {{ ref("int_work_order_versions") }} as versions
        inner join
            {{ ref("int_work_orders") }} as orders
            on versions.organisation_id = orders.organisation_id
            and versions.work_order_id = orders.work_order_id
        where not (orders.is_completed and orders.completed_on is not null)
    ),
    booked as (
        select organisation_id, work_order_id, version_number, booked_on, 'completed' as booking_basis, 1 as direction
        from booked_when_done
        union all
        select organisation_id, work_order_id, version_number, booked_on, 'observed' as booking_basis, 1 as direction
        from steps
        union all
        select
            organisation_id,
            work_order_id,
            previous_version_number as version_number,
            booked_on,
            'observed' as booking_basis,
            -1 as direction
        from steps
        where previous_version_number is not null
    ),
    entries as (
        select
            organisation_id,
            work_order_id,
            version_number,
            coalesce(duration_seconds, 0) as labour_seconds,
            case when amount_cents is null then 0 else coalesce(duration_seconds, 0) end as priced_labour_seconds,
            coalesce(amount_cents, 0) as labour_cost_cents,
            0 as parts_cost_cents,
            0 as other_cost_cents,
            0 as part_lines,
            0 as priced_part_lines
        from {{ ref("stg_work_order_time_item_versions") }}
        union all
        select
            organisation_id,
            work_order_id,
            version_number,
            0 as labour_seconds,
            0 as priced_labour_seconds,
            0 as labour_cost_cents,
            coalesce(cast(round(quantity * unit_cost_cents) as bigint), 0) as parts_cost_cents,
            0 as other_cost_cents,
            1 as part_lines,
            case when quantity * unit_cost_cents is null then 0 else 1 end as priced_part_lines
        from {{ ref("stg_work_order_part_versions") }}
        union all
        select
            organisation_id,
            work_order_id,
            version_number,
            0 as labour_seconds,
            0 as priced_labour_seconds,
            0 as labour_cost_cents,
            0 as parts_cost_cents,
            coalesce(amount_cents, 0) as other_cost_cents,
            0 as part_lines,
            0 as priced_part_lines
        from {{ ref("stg_work_order_cost_versions") }}
    ),
    summed as (
        select
            booked.organisation_id,
            booked.work_order_id,
            booked.booked_on,
            booked.booking_basis
            {% for measure in measures %}, cast(sum(booked.direction * entries.{{ measure }}) as bigint) as {{ measure }}{% endfor %}
        from booked
        inner join
            entries
            on booked.organisation_id = entries.organisation_id
            and booked.work_order_id = entries.work_order_id
            and booked.version_number = entries.version_number
        group by booked.organisation_id, booked.work_order_id, booked.booked_on, booked.booking_basis
    )
select
    summed.organisation_id,
    summed.work_order_id,
    orders.site_id,
    orders.cut_id,
    orders.asset_id,
    orders.type,
    summed.booked_on,
    summed.booking_basis,
    summed.labour_seconds,
    summed.priced_labour_seconds,
    summed.labour_cost_cents,
    summed.parts_cost_cents,
    summed.part_lines,
    summed.priced_part_lines,
    summed.other_cost_cents,
    summed.labour_cost_cents + summed.parts_cost_cents + summed.other_cost_cents as total_cost_cents,
    orders.currency
from summed
inner join
    {{ ref("int_work_orders") }} as orders
    on summed.organisation_id = orders.organisation_id
    and summed.work_order_id = orders.work_order_id
where {% for measure in measures %} summed.{{ measure }} != 0 {{ "or" if not loop.last }} {% endfor %}

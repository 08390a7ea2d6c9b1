with
    closings as (
        select organisation_id, work_order_id, completer_id, completed_at
        from {{ ref("int_work_orders") }}
        where is_completed and completed_at is not null and completer_id is not null
    ),
    begun as (
        select
            *,
            lead(completed_at, 4) over (
                partition by organisation_id, completer_id order by completed_at asc nulls last, work_order_id asc nulls last
            ) as fifth_at
        from closings
    ),
    marked as (select *, case when fifth_at <= {{ plus_seconds("completed_at", 120) }} then 1 else 0 end as is_first_of_five from begun)
select
    organisation_id,
    work_order_id,
    max(is_first_of_five) over (
        partition by organisation_id, completer_id
        order by completed_at asc nulls last, work_order_id asc nulls last
        rows between 4 preceding and current row
    )
    = 1 as is_batch_closed
from marked

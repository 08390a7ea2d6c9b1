{# how long after its creation an order enters an age and leaves it, in seconds -#}
{% set ages = [("age_0_7", 0, 691200), ("age_8_30", 691200, 2678400), ("age_31_90", 2678400, 7862400), ("age_over_90", 7862400, none)] -%}
with
    queued as (
        select
            organisation_id,
            work_order_id,
            site_id,
            cut_id,
            time_zone,
            created_at,
            closed_at,
            due_at,
            case when start_at > created_at then start_at else created_at end as shown_at,
            planned_seconds,
            estimated_seconds
        from {{ ref("fct_work_orders") }}
        where created_at <= {{ as_of() }} and (closed_at is null or closed_at > created_at)
    ),
    stamped as (
        select
            *,
            max(updated_at) over (
                partition by organisation_id, work_order_id order by version_number asc nulls last rows unbounded preceding
            ) as stamped_at
        from {{ ref("int_work_order_versions") }}
    ),
    spans as (
        select
            *,
            case when previous_version_number is not null then stamped_at end as begins_at,
            lead(stamped_at) over (partition by organisation_id, work_order_id order by version_number asc nulls last) as ends_at
        from stamped
    ),
    ready as (
        select
            queued.organisation_id,
            queued.work_order_id,
            queued.site_id,
            queued.cut_id,
            queued.time_zone,
            queued.created_at,
            case when spans.begins_at > queued.created_at then spans.begins_at else queued.created_at end as begins_at,
            spans.start_at,
            case when queued.closed_at is null or spans.ends_at <= queued.closed_at then spans.ends_at else queued.closed_at end as left_at,
            spans.estimated_seconds
        from spans
        inner join queued on spans.organisation_id = queued.organisation_id and spans.work_order_id = queued.work_order_id
        where
            spans.status = 'OPEN'
            and spans.estimated_seconds is not null
            and (
                spans.part_status in ('NO_PARTS', 'KITTED', 'STAGED', 'ISSUED')
                or spans.part_status is null
                and coalesce(spans.parts_availability, 'PARTS_AVAILABLE') = 'PARTS_AVAILABLE'
            )
    ),
    stays as (
        select *, 'backlog' as state, created_at as entered_at, closed_at as left_at
        from queued
        union all
        select *, 'shown' as state, shown_at as entered_at, closed_at as left_at
        from queued
        union all
        select
            *,
            'upcoming' as state,
            created_at as entered_at,
            case when closed_at is null or shown_at < closed_at then shown_at else closed_at end as left_at
        from queued
        where shown_at > created_at
        union all
        select *, 'overdue' as state, {{ later_of("created_at", just_after("due_at")) }} as entered_at, closed_at as left_at
        from queued
        where due_at is not null
        {% for age, from_seconds, to_seconds in ages %}
                {% set begins = plus_seconds("created_at", from_seconds) %}
            union all
            select
                *,
                '{{ age }}' as state,
                {{ later_of("shown_at", begins) }} as entered_at,
                {% if to_seconds is none %} closed_at
                {% else %}
                    {% set ends = plus_seconds("created_at", to_seconds) %} case
                        when closed_at <= {{ ends }} then closed_at else {{ ends }}
                    end
                {% endif %} as left_at
            from queued
        {% endfor %}
    ),
    all_stays as (
        select
            organisation_id,
            work_order_id,
            site_id,
            cut_id,
            time_zone,
            state,
            created_at,
            entered_at,
            left_at,
            planned_seconds,
            case when estimated_seconds is null then 0 else 1 end as own_estimates
        from stays
        union all
        select
            organisation_id,
            work_order_id,
            site_id,
            cut_id,
            time_zone,
            'ready' as state,
            created_at,
            case when start_at > begins_at then start_at else begins_at end as entered_at,
            left_at,
            estimated_seconds as planned_seconds,
            1 as own_estimates
        from ready
    )
select
    organisation_id,
    work_order_id,
    site_id,
    cut_id,
    time_zone,
    state,
    created_at,
    entered_at,
    {{ local_date(just_before("entered_at"), "time_zone") }} as entered_on,
    case when left_at <= {{ as_of() }} then left_at end as left_at,
    case when left_at <= {{ as_of() }} then {{ local_date(just_before("left_at"), "time_zone") }} end as left_on,
    planned_seconds,
    own_estimates
from all_stays
where entered_at <= {{ as_of() }} and (left_at is null or left_at > entered_at)

{# measure: days overdue from (excluded) and to (included). -#}
{% set spans = {
    "overdue": (0, none),
    "overdue_1_7": (0, 7),
    "overdue_8_30": (7, 30),
    "overdue_31_90": (30, 90),
    "overdue_over_90": (90, none),
} %}
{% set measures = ["active", "dated"] + (spans.keys() | list) %}
with
    queued as (
        select
            organisation_id,
            site_id,
            cut_id,
            time_zone,
            original_due_at as due_at,
            case when start_at > created_at then start_at else created_at end as entered_at,
            closed_at
        from {{ ref("fct_work_orders") }}
        where type = 'PREVENTIVE'
    ),
    pieces as (
        select organisation_id, site_id, cut_id, time_zone, 'active' as measure, entered_at as from_at, closed_at as to_at
        from queued
        union all
        select organisation_id, site_id, cut_id, time_zone, 'dated' as measure, entered_at as from_at, closed_at as to_at
        from queued
        where due_at is not null
        {%- for measure, (first, last) in spans.items() %}
                {% set begins = just_after(plus_seconds("due_at", first * 86400)) %}
            union all
            select
                organisation_id,
                site_id,
                cut_id,
                time_zone,
                '{{ measure }}' as measure,
                {{ later_of("entered_at", begins) }} as from_at,
                {% if last %}
                    {% set ends = just_after(plus_seconds("due_at", last * 86400)) %}
                    case when closed_at < {{ ends }} then closed_at else {{ ends }} end as to_at
                {% else %} closed_at as to_at
                {% endif %}
            from queued
            where due_at is not null
        {%- endfor %}
    ),
    moves as (
        select *, from_at as moved_at, 1 as change
        from pieces
        where to_at is null or from_at < to_at
        union all
        select *, to_at as moved_at, -1 as change
        from pieces
        where from_at < to_at
    ),
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            {{ local_date(just_before("moved_at"), "time_zone") }} as measured_on
            {%- for measure in measures %}, sum(case when measure = '{{ measure }}' then change else 0 end) as {{ measure }}{% endfor %}
        from moves
        where moved_at <= {{ as_of() }}
        group by organisation_id, site_id, cut_id, measured_on
    ),
    standing as ({{ states_by_period("daily", measures) }})
select
    organisation_id, scope_type, scope_id, site_id, period_grain, period_start_on {%- for measure in measures %}, {{ measure }}{% endfor %}
from standing
where scope_type in ('organisation', 'site') or active > 0

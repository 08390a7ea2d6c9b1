{# The union of the intervals [started_at, ended_at) of `relation` that share the columns `by`: overlapping and touching ones become one.
   ended_at NULL has no end. Gives `by`, started_at, ended_at and piece_count. #}
{% macro merged_intervals(relation, by) %}
    {% set keys = by | join(", ") %}
    select
        {{ keys }},
        min(started_at) as started_at,
        case when max(case when ended_at is null then 1 else 0 end) = 0 then max(ended_at) end as ended_at,
        count(*) as piece_count
    from
        (
            select
                *,
                sum(is_new) over (
                    partition by {{ keys }} order by started_at asc nulls last, piece_id asc nulls last rows unbounded preceding
                ) as island
            from
                (
                    select
                        *,
                        case
                            when
                                started_at <= max(coalesce(ended_at, {{ instant("9999-01-01T00:00:00Z") }})) over (
                                    partition by {{ keys }}
                                    order by started_at asc nulls last, piece_id asc nulls last
                                    rows between unbounded preceding and 1 preceding
                                )
                            then 0
                            else 1
                        end as is_new
                    from {{ relation }}
                ) as marked
        ) as numbered
    group by {{ keys }}, island
{% endmacro %}

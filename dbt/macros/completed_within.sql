{# The share of the orders created in a period, less cancelled ones, that were completed within so many days (of 24 hours); a cohort has
   a value once all of its orders have had the time. #}
{% macro completed_within(days) %}
    {% set seconds = days * 86400 %}
    {% set daily %}
    (
        select
            organisation_id,
            site_id,
            cut_id,
            created_on as measured_on,
            count(*) as orders,
            sum(case when is_completed and completed_at <= {{ plus_seconds("created_at", seconds) }} then 1 else 0 end) as completed
        from {{ ref("int_work_orders") }}
        where coalesce(status, '') != 'CANCELED'
        group by organisation_id, site_id, cut_id, created_on
    )
    {% endset %}
    {{
        share_rows(
            daily,
            "orders",
            "completed",
            "nothing_created",
            reasons=[(plus_seconds("ends_at", seconds) ~ " > " ~ as_of(), "cohort_not_mature")],
        )
    }}
{% endmacro %}

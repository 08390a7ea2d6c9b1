{# The share of the orders of a period (by the date `counted_on`, those for which `cohort` holds) whose data say what `condition` asks. #}
{% macro quality_share(condition, counted_on="created_on", cohort="created_on is not null", reason="nothing_created") %}
    {% set daily %}
    (
        select
            organisation_id,
            site_id,
            cut_id,
            {{ counted_on }} as measured_on,
            count(*) as orders,
            sum(case when {{ condition }} then 1 else 0 end) as told
        from {{ ref("int_work_orders") }}
        where {{ cohort }}
        group by organisation_id, site_id, cut_id, {{ counted_on }}
    )
    {% endset %}
    {{ share_rows(daily, "orders", "told", reason) }}
{% endmacro %}

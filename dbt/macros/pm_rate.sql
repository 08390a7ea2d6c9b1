{# The share of the preventive orders due in a period, by their original deadline and once it has passed, for which `condition`
   holds; cancelled ones are due too. #}
{% macro pm_rate(condition) %}
    {% set daily %}
    (
        select
            organisation_id,
            site_id,
            cut_id,
            original_due_on as measured_on,
            count(*) as orders,
            sum(case when {{ condition }} then 1 else 0 end) as meant
        from {{ ref("fct_pm_occurrences") }}
        where original_due_at <= {{ as_of() }}
        group by organisation_id, site_id, cut_id, original_due_on
    )
    {% endset %}
    {{ share_rows(daily, "orders", "meant", "nothing_due") }}
{% endmacro %}

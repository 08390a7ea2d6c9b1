{% set daily %}
(
    select
        organisation_id,
        site_id,
        cut_id,
        completed_on as measured_on,
        count(*) as done,
        sum(case when is_within_interval is null then 0 else 1 end) as judged,
        sum(case when is_within_interval then 1 else 0 end) as met
    from {{ ref("int_pm_intervals") }}
    where is_done
    group by organisation_id, site_id, cut_id, completed_on
)
{% endset %}
{{ share_rows(daily, "judged", "met", "no_interval_known", coverable="done", reasons=[("done = 0", "nothing_completed")]) }}

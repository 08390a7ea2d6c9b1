{% set daily %}
(
    select
        organisation_id,
        site_id,
        cut_id,
        created_on as measured_on,
        sum(case when status in ('DONE', 'OPEN') then 1 else 0 end) as done_or_open,
        sum(case when status = 'DONE' then 1 else 0 end) as done
    from {{ ref("int_work_orders") }}
    group by organisation_id, site_id, cut_id, created_on
)
{% endset %}
{{ share_rows(daily, "done_or_open", "done", "nothing_created") }}

{% set daily %}
(
    select
        organisation_id,
        site_id,
        cut_id,
        created_on as measured_on,
        count(*) as requests,
        sum(case when is_decided then 1 else 0 end) as decided,
        sum(case when is_rejected then 1 else 0 end) as rejected
    from {{ ref("int_work_requests") }}
    where created_on is not null
    group by organisation_id, site_id, cut_id, created_on
)
{% endset %}
{{ share_rows(daily, "decided", "rejected", "nothing_decided", coverable="requests", reasons=[("requests = 0", "nothing_requested")]) }}

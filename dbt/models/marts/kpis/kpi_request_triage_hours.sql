with
    daily as (
        select
            organisation_id,
            site_id,
            cut_id,
            created_on as measured_on,
            count(*) as requests,
            sum(case when is_decided then 1 else 0 end) as decided,
            sum(case when triage_seconds is null then 0 else 1 end) as timed,
            sum(coalesce(triage_seconds, 0)) as triage_seconds,
            sum(case when triage_seconds is not null and decided_basis = 'order' then 1 else 0 end) as by_order,
            sum(case when triage_seconds is not null and decided_basis = 'observed' then 1 else 0 end) as by_sight,
            sum(case when triage_seconds is not null and decided_basis = 'record' then 1 else 0 end) as by_record
        from {{ ref("fct_work_requests") }}
        where created_on is not null
        group by organisation_id, site_id, cut_id, created_on
    ),
    measured as ({{ sums_by_period("daily", ["requests", "decided", "timed", "triage_seconds", "by_order", "by_sight", "by_record"]) }})
    {{
        kpi_rows(
            "measured",
            numerator=hours("triage_seconds"),
            denominator="timed",
            n="timed",
            reasons=[
                ("requests = 0", "nothing_requested"),
                ("decided = 0", "nothing_decided"),
                ("timed = 0", "no_decision_instants"),
            ],
            covered="timed",
            coverable="decided",
            basis="'decisions'",
            basis_shares=basis_shares({"order": "by_order", "observed": "by_sight", "record": "by_record"}, "decided"),
            records="requests",
        )
    }}

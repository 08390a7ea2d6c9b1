{# Whatever feeds a KPI has its places here. -#}
{% set places = ["int_work_order_places", "int_status_places", "int_work_request_places", "int_asset_places"] %}
{% set no_teams = "cast(null as " ~ dbt.type_string() ~ ")" %}
with
    keys as (
        {% for place in places %}
            select
                organisation_id,
                cut_key,
                site_id,
                location_id,
                asset_id,
                {{ "team_key" if place != "int_asset_places" else no_teams ~ " as team_key" }}
            from {{ ref(place) }} {{ "union distinct" if not loop.last }}
        {% endfor %}
    )
select
    dense_rank() over (order by organisation_id asc nulls last, cut_key asc nulls last) as cut_id,
    organisation_id,
    cut_key,
    site_id,
    location_id,
    asset_id,
    team_key
from keys

{# Where each record of `relation` (organisation_id, the column `id`, asset_id, location_id, placed_at, team_key) belongs: site_id,
   location_id and cut_key. Its own location counts first, else its asset's at the instant `placed_at`; one under a site's root
   before one under none. #}
{% macro placed(relation, id) %}
    select
        candidates.organisation_id,
        candidates.{{ id }},
        candidates.site_id,
        candidates.location_id,
        candidates.asset_id,
        candidates.team_key,
        {{ cut_key("candidates.site_id", "candidates.location_id", "candidates.asset_id", "candidates.team_key") }} as cut_key
    from
        (
            select
                records.organisation_id,
                records.{{ id }},
                records.asset_id,
                records.team_key,
                coalesce(own.root_site_id, places.root_site_id, default_sites.site_id) as site_id,
                case
                    when own.root_site_id is null and (places.root_site_id is not null or own.location_id is null)
                    then places.location_id
                    else own.location_id
                end as location_id
            from {{ relation }} as records
            left join
                {{ ref("dim_locations") }} as own on records.organisation_id = own.organisation_id and records.location_id = own.location_id
            left join
                {{ ref("int_asset_places") }} as places
                on records.organisation_id = places.organisation_id
                and records.asset_id = places.asset_id
                and records.placed_at >= places.valid_from
                and (places.valid_to is null or records.placed_at < places.valid_to)
            left join
                {{ ref("dim_sites") }} as default_sites
                on records.organisation_id = default_sites.organisation_id
                and default_sites.is_default
        ) as candidates
{% endmacro %}

{# The text that names a cut within its organisation: site, location, asset and teams of a record. #}
{% macro cut_key(site_id, location_id, asset_id, team_key="null") %}
    {% set text = dbt.type_string() %}
    {{ site_id }}
    || '|'
    || coalesce(cast({{ location_id }} as {{ text }}), '')
    || '|'
    || coalesce(cast({{ asset_id }} as {{ text }}), '')
    || '|'
    || coalesce(cast({{ team_key }} as {{ text }}), '')
{% endmacro %}

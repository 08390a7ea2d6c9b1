{# One select per kpi_* model, from the meta of its yml: the graph is known when the model runs. -#}
{% set nodes = graph.nodes.values() | selectattr("resource_type", "equalto", "model") | list if execute else [] %}
{% set text = dbt.type_string() %}
{% for node in nodes | sort(attribute="name") if node.config.meta.get("formula") %}
    {% set meta = node.config.meta %}
    select
        '{{ node.name[4:] }}' as kpi,
        cast({{ dbt.string_literal(dbt.escape_single_quotes(meta.label)) }} as {{ text }}) as label,
        '{{ meta.unit }}' as unit,
        '{{ meta.better }}' as better,
        cast({{ "null" if meta.target is none else meta.target }} as {{ double() }}) as target,
        '{{ meta.definition_version }}' as definition_version,
        cast({{ dbt.string_literal(dbt.escape_single_quotes(meta.formula)) }} as {{ text }}) as formula,
        cast({{ dbt.string_literal(dbt.escape_single_quotes(node.description | trim)) }} as {{ text }}) as description,
        {{ meta.is_history | lower }} as is_history,
        cast(
            'organisation, site{% for scope in meta.get("scopes", ["location_subtree", "asset_type", "team"]) %}, {{ scope }}{% endfor %}{{ ", asset" if meta.get("per_asset") }}'
            as {{ text }}
        ) as scopes,
        {{ meta.get("per_asset", false) | lower }} as is_per_asset,
        cast({{ "'" ~ meta.family ~ "'" if meta.get("family") else "null" }} as {{ text }}) as family,
        cast({{ "'" ~ meta.interval ~ "'" if meta.get("interval") else "null" }} as {{ text }}) as interval_kind,
        cast({{ "null" if meta.standard_reference is none else "'" ~ meta.standard_reference ~ "'" }} as {{ text }}) as standard_reference
        {{ "union all" if not loop.last }}
{% endfor %}

{# What counts where kinds overlap: the layer that comes first. Each layer is the union of itself and those before it, so that the time
   of one kind is what its layer adds. #}
{% set layers = ["ignored", "unplanned", "planned", "unknown"] %}
with
    kinds as (
        select *, case when status = 'IGNORE' then 'ignored' else downtime_type end as kind
        from {{ ref("int_status_intervals") }}
        where status in ('IGNORE', 'OFFLINE')
    ),
    ranked as (
        select
            organisation_id,
            asset_id,
            piece_id,
            started_at,
            ended_at,
            case kind {% for layer in layers %} when '{{ layer }}' then {{ loop.index0 }} {% endfor %} end as own_layer
        from kinds
    ),
    layered as (
        select ranked.*, layers.layer
        from ranked
        inner join
            ({% for layer in layers %}select {{ loop.index0 }} as layer {{ "union all" if not loop.last }} {% endfor %}) as layers
            on ranked.own_layer <= layers.layer
    )
select organisation_id, asset_id, layer, started_at, ended_at
from ({{ merged_intervals("layered", ["organisation_id", "asset_id", "layer"]) }}) as merged

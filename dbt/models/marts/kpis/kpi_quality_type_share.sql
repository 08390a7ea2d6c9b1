{{ quality_share("type is not null") }}

{# The rows of a KPI that is a share of counted records: `part` of `whole`, both integer columns of `daily`; without a whole the
   reason. `coverable`, if given, is a column of `daily` too: coverage_share is the whole by it. #}
{% macro share_rows(daily, whole, part, reason, coverable=none, reasons=[]) %}
    with
        measured as ({{ sums_by_period(daily, [whole, part] + ([coverable] if coverable else [])) }})
        {{
            kpi_rows(
                "measured",
                numerator=part,
                denominator=whole,
                n=whole,
                reasons=reasons + [(whole ~ " = 0", reason)],
                covered=(whole if coverable else none),
                coverable=coverable,
                records=(coverable or whole),
                has_interval=true,
            )
        }}
{% endmacro %}

{# Each row of `relation` with the exact 95 % limits of the mean of its count `events`, as poisson_low and poisson_high: by the table
   up to 1000, by Wilson and Hilferty's approximation above, which is within 1e-5 of the exact there. A rate per `hours` has the
   limits poisson_low / hours and poisson_high / hours; hours per event the other way round. #}
{% macro with_poisson(relation, events) %}
    {% set n = "cast(counted." ~ events ~ " as " ~ double() ~ ")" %}
    {% set z = "1.959963984540054e0" %}
    select
        counted.*,
        case
            when counted.{{ events }} > 1000
            then {{ n }} * power(1 - 1 / (9 * {{ n }}) - {{ z }} / (3 * sqrt({{ n }})), 3)
            else limits.poisson_low
        end as poisson_low,
        case
            when counted.{{ events }} > 1000
            then ({{ n }} + 1) * power(1 - 1 / (9 * ({{ n }} + 1)) + {{ z }} / (3 * sqrt({{ n }} + 1)), 3)
            else limits.poisson_high
        end as poisson_high
    from {{ relation }} as counted
    left join {{ ref("int_poisson_limits") }} as limits on counted.{{ events }} = limits.n
{% endmacro %}

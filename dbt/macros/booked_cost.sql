{# Whether labour and cost belong to the completion of their orders or to the reading that showed them first, of orders still open. #}
{% macro booking_basis() %}
    case
        when completed_bookings < bookings and completed_bookings > 0
        then 'mixed'
        when completed_bookings > 0
        then 'completed'
        when bookings > 0
        then 'observed'
    end
{% endmacro %}

{# `relation` (on the KPI spine) with the currency of each scope's sites, and how many currencies those have. #}
{% macro with_currency(relation) %}
    select
        measured.*,
        coalesce(of_sites.currency, of_organisations.currency) as currency,
        coalesce(of_sites.currencies, of_organisations.currencies) as currencies
    from {{ relation }} as measured
    left join
        (
            select site_id, min(currency) as currency, count(distinct currency) as currencies from {{ ref("dim_sites") }} group by site_id
        ) as of_sites
        on measured.site_id = of_sites.site_id
    left join
        (
            select organisation_id, min(currency) as currency, count(distinct currency) as currencies
            from {{ ref("dim_sites") }}
            group by organisation_id
        ) as of_organisations
        on measured.organisation_id = of_organisations.organisation_id
        and measured.site_id is null
{% endmacro %}

{# The currency to show: none where several would be added. #}
{% macro one_currency() %} case when currencies = 1 then currency end {% endmacro %}

{# The rows of a KPI of what was spent: the integer cents `cents` of fct_work_order_costs, of which `covered` of `coverable` (columns of
   it) could be priced; without anything to price the coverage is NULL, and without a price of any of it there is no value. #}
{% macro booked_cost(cents, covered=none, coverable=none, unpriced="no_prices") %}
    {% set covers = [covered, coverable] if covered else [] %}
    with
        daily as (
            select
                organisation_id,
                site_id,
                cut_id,
                booked_on as measured_on,
                {{ cents }} as cents,
                1 as bookings,
                case when booking_basis = 'completed' then 1 else 0 end as completed_bookings
                {%- for cover in covers %}, {{ cover }}{% endfor %}
            from {{ ref("fct_work_order_costs") }}
            where {{ cents }} != 0 {%- for cover in covers %} or {{ cover }} != 0{% endfor %}
        ),
        summed as ({{ sums_by_period("daily", ["cents", "bookings", "completed_bookings"] + covers) }}),
        measured as ({{ with_currency("summed") }})
        {{
            kpi_rows(
                "measured",
                numerator="cents / 100",
                n="bookings",
                reasons=[("currencies > 1", "mixed_currencies")]
                + ([(covered ~ " = 0 and " ~ coverable ~ " > 0", unpriced)] if covered else []),
                covered=covered,
                coverable=coverable,
                basis=booking_basis(),
                basis_shares=basis_shares({"completed": "completed_bookings", "observed": "(bookings - completed_bookings)"}, "bookings"),
                records="bookings",
                currency=one_currency(),
            )
        }}
{% endmacro %}

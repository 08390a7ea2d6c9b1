{% set year_of_as_of = year_start(local_date(as_of(), "'UTC'")) %}
{% set years_back = (var("kpi_years") | int) + 1 %}
with dates as ({{ date_series(add_months(year_of_as_of, -12 * years_back), add_days(add_months(year_of_as_of, 24), -1)) }})
select
    date_on,
    {{ iso_year("date_on") }} as iso_year,
    {{ iso_week_number("date_on") }} as iso_week,
    'W' || lpad(cast({{ iso_week_number("date_on") }} as {{ dbt.type_string() }}), 2, '0') as iso_week_label,
    {{ iso_week("date_on") }} as week_start_on,
    {{ month("date_on") }} as month_start_on,
    {{ quarter("date_on") }} as quarter_start_on,
    cast(extract(year from date_on) as bigint) as year
from dates

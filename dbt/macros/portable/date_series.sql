{# A relation of one column, date_on: every date from the first to the last, both included; both are expressions without columns. #}
{% macro date_series(first, last) %} {{ return(adapter.dispatch("date_series")(first, last)) }} {% endmacro %}
{% macro default__date_series(first, last) %}
    select cast(d as date) as date_on from generate_series({{ first }}, {{ last }}, interval '1 day') as series(d)
{% endmacro %}
{% macro bigquery__date_series(first, last) %}
    select date_on from unnest(generate_date_array({{ first }}, {{ last }})) as date_on
{% endmacro %}

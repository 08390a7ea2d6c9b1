{# The lower Wilson 95 % limit of a share of `successes` in `trials`; NULL without trials. Source: Wilson 1927, z = 1.959963984540054. #}
{% macro wilson_low(successes, trials) %} {{ return(adapter.dispatch("wilson_low")(successes, trials)) }} {% endmacro %}
{% macro default__wilson_low(successes, trials) %}
    case when {{ successes }} = 0 and {{ trials }} > 0 then 0 else {{ wilson_limit(successes, trials, "-") }} end
{% endmacro %}

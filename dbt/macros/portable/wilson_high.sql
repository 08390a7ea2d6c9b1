{# The upper Wilson 95 % limit of a share of `successes` in `trials`; NULL without trials. Source: Wilson 1927, z = 1.959963984540054. #}
{% macro wilson_high(successes, trials) %} {{ return(adapter.dispatch("wilson_high")(successes, trials)) }} {% endmacro %}
{% macro default__wilson_high(successes, trials) %}
    case when {{ successes }} = {{ trials }} and {{ trials }} > 0 then 1 else {{ wilson_limit(successes, trials, "+") }} end
{% endmacro %}

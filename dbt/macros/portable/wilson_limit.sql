{# Centre plus or minus half width of the Wilson score interval, from counts: (s + z²/2 ± z·√(s(n-s)/n + z²/4)) / (n + z²). #}
{% macro wilson_limit(successes, trials, sign) %} {{ return(adapter.dispatch("wilson_limit")(successes, trials, sign)) }} {% endmacro %}
{% macro default__wilson_limit(successes, trials, sign) %}
    {%- set z2 = "3.841458820694124e0" -%}
    (
        {{ successes }}
        + {{ z2 }}
        / 2 {{ sign }} sqrt({{ z2 }} * ({{ successes }} * ({{ trials }} - {{ successes }}) / nullif({{ trials }}, 0) + {{ z2 }} / 4))
    )
    / ({{ trials }} + {{ z2 }})
{% endmacro %}

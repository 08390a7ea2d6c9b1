{# The instant of our knowledge: only versions of runs known from then or earlier count. #}
{% macro known_at() %} {{ return(adapter.dispatch("known_at")()) }} {% endmacro %}
{% macro default__known_at() %} {{ return(instant(var("known_at"))) }} {% endmacro %}

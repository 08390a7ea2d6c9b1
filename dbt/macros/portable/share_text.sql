{# A share of counts as text with two decimals ('0.62'); 0.00 of nothing. #}
{% macro share_text(part, whole) %} {{ return(adapter.dispatch("share_text")(part, whole)) }} {% endmacro %}
{% macro default__share_text(part, whole) %} printf('%.2f', coalesce({{ ratio(part, whole) }}, 0)) {% endmacro %}
{% macro bigquery__share_text(part, whole) %} format('%.2f', coalesce({{ ratio(part, whole) }}, 0)) {% endmacro %}

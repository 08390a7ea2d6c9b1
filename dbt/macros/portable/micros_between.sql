{# Whole microseconds from `earlier` to `later`, negative when they are the other way round; NULL if either is. #}
{% macro micros_between(earlier, later) %} {{ return(adapter.dispatch("micros_between")(earlier, later)) }} {% endmacro %}
{% macro default__micros_between(earlier, later) %} (epoch_us({{ later }}) - epoch_us({{ earlier }})) {% endmacro %}
{% macro bigquery__micros_between(earlier, later) %} timestamp_diff({{ later }}, {{ earlier }}, microsecond) {% endmacro %}

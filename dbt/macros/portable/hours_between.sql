{# Hours from `earlier` to `later`, from whole seconds: 90 minutes are 1.5, where a difference in 'hour' counts boundaries. #}
{% macro hours_between(earlier, later) %} {{ return(adapter.dispatch("hours_between")(earlier, later)) }} {% endmacro %}
{% macro default__hours_between(earlier, later) %} {{ return(hours(seconds_between(earlier, later))) }} {% endmacro %}

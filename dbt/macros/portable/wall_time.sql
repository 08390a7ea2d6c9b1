{# The instant at which clocks in the zone show that many seconds after the date's 00:00; the first of a repeated time (DuckDB itself
   gives the later one), a skipped one moved on by what was skipped. #}
{% macro wall_time(on, seconds, zone) %} {{ return(adapter.dispatch("wall_time")(on, seconds, zone)) }} {% endmacro %}
{% macro default__wall_time(on, seconds, zone) %}
    {% set shown = "cast(" ~ on ~ " as timestamp) + to_seconds(" ~ seconds ~ ")" %}
    case
        when timezone({{ zone }}, timezone({{ zone }}, {{ shown }}) - interval '1 hour') = {{ shown }}
        then timezone({{ zone }}, {{ shown }}) - interval '1 hour'
        when timezone({{ zone }}, timezone({{ zone }}, {{ shown }}) - interval '30 minutes') = {{ shown }}
        then timezone({{ zone }}, {{ shown }}) - interval '30 minutes'
        else timezone({{ zone }}, {{ shown }})
    end
{% endmacro %}
{% macro bigquery__wall_time(on, seconds, zone) %}
    {% set shown = "datetime_add(datetime(" ~ on ~ "), interval " ~ seconds ~ " second)" %}
    case
        when datetime(timestamp({{ shown }}, {{ zone }}), {{ zone }}) = {{ shown }}
        then timestamp({{ shown }}, {{ zone }})
        else timestamp_add(timestamp(datetime_sub({{ shown }}, interval 1 hour), {{ zone }}), interval 1 hour)
    end
{% endmacro %}

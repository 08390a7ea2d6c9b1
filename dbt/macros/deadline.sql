{# The instant by which work must be done: the due instant itself, or for a full day the midnight that ends it at the site.
   The day is the one in the organisation's time zone, where MaintainX had it written. #}
{% macro deadline(due_at, is_full_day, organisation_zone, site_zone) %}
    case
        when {{ is_full_day }} then {{ local_midnight(add_days(local_date(due_at, organisation_zone), 1), site_zone) }} else {{ due_at }}
    end
{% endmacro %}

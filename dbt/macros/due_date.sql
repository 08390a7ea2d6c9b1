{# The date on which work is due: the organisation's calendar day for a full day, else the site's. #}
{% macro due_date(due_at, is_full_day, organisation_zone, site_zone) %}
    case when {{ is_full_day }} then {{ local_date(due_at, organisation_zone) }} else {{ local_date(due_at, site_zone) }} end
{% endmacro %}

{# Seconds between two occurrences of a recurring order; NULL where its recurrence does not say. Months and years are those that
   end on the date `on`; a week with several weekdays is shared out among them; PERIODICALLY counts seconds. #}
{% macro recurrence_seconds(type, interval, days, on) %}
    case
        when coalesce({{ interval }}, 1) < 1
        then null
        when {{ type }} = 'PERIODICALLY'
        then {{ interval }}
        when coalesce({{ interval }}, 1) > 1200
        then null
        when {{ type }} = 'DAILY'
        then 86400 * coalesce({{ interval }}, 1)
        when {{ type }} = 'WEEKLY'
        then cast(floor(604800e0 * coalesce({{ interval }}, 1) / coalesce({{ days }}, 1)) as bigint)
        when {{ type }} = 'MONTHLY'
        then 86400 * {{ days_between(months_before(on, "coalesce(" ~ interval ~ ", 1)"), on) }}
        when {{ type }} = 'YEARLY'
        then 86400 * {{ days_between(months_before(on, "12 * coalesce(" ~ interval ~ ", 1)"), on) }}
    end
{% endmacro %}

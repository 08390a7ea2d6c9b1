{# Fails for each key that is not whole (a NULL in it) or that several rows share. #}
{% test one_row_per(model, columns) %}
    {% set keys = columns | join(", ") %}
    select {{ keys }}, count(*) as row_count
    from {{ model }}
    group by {{ keys }}
    having count(*) > 1 or {{ columns | join(" is null or ") }} is null
{% endtest %}

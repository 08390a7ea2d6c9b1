{# The shares of the kinds of evidence as one text, 'rca=0.62 status=0.20 none=0.18'; NULL without records. `parts` maps a kind to the
   expression of its count, `whole` is the count of all records; what no kind has is called none. #}
{% macro basis_shares(parts, whole) %}
    {% set rest = whole ~ " - " ~ (parts.values() | join(" - ")) %}
    case
        when {{ whole }} > 0
        then
            {% for kind, count in parts.items() %} '{{ kind }}=' || {{ share_text(count, whole) }} || ' ' || {% endfor %} 'none='
            || {{ share_text("(" ~ rest ~ ")", whole) }}
    end
{% endmacro %}

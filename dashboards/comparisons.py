"""Charts that compare: buckets, a ladder of durations, sites, age by priority, endpoints by organisation."""

from typing import Any

import altair as alt
import polars as pl

from dashboards.canvas import DOTTED, QUIET, axis_format, chart, finished, measured, ordered, palette, told, tooltip
from dashboards.format import PRIORITIES

LINE = 52  # pixels of one measure or site, its words over it
CELL = 30  # pixels of one line of a matrix
ON_LINES = "split(datum.label, ' ')"  # a long name gets a line per word
STATES = ("read", "late", "failed", "skipped")


def buckets(rows: pl.DataFrame, colour: str | None = None) -> alt.LayerChart:
    """Draw a histogram over fixed buckets; rows: bucket, orders, in order."""
    colours = palette()
    x, y = ordered(rows["bucket"].to_list(), "bucket"), measured("orders")
    base = chart(rows).encode(x=x, y=y, tooltip=tooltip(bucket="Bucket", orders="Orders"))
    bars = base.mark_bar(color=colour or colours.measure, cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
    return finished([bars, base.mark_text(dy=-8, color=colours.text, fontSize=12).encode(text="orders:Q")])


def ladder(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw hours on a log scale, one dot a measure; rows: measure, value, text, is_main."""
    colours, values = palette(), rows["value"].to_list()
    scale = alt.Scale(type="log", domain=[min(1.0, min(values) / 1.6), max(values) * 1.6], nice=False)
    axis = alt.Axis(title="hours, log scale", ticks=False, domain=False, tickCount=4, format="~r")
    fill = alt.condition("datum.is_main", alt.value(colours.measure), alt.value(colours.muted))
    y = _lines("measure", rows)
    dots = chart(rows).mark_circle(size=140, opacity=1).encode(y=y, x=alt.X("value:Q", scale=scale, axis=axis), color=fill)
    rail = chart(rows).mark_rule(color=colours.context, opacity=0.5).encode(y=y)
    return finished([rail, dots, _over("measure", rows)], LINE * rows.height + 40)


def by_site(rows: pl.DataFrame, unit: str, target: float | None = None) -> alt.LayerChart:
    """Draw one value a site: dots with their interval for shares, else bars; rows: site, value, text, is_shown, for shares low and high."""
    top = 1.0 if unit == "share" else max([*rows["value"].to_list(), target or 0.0]) * 1.08 or 1.0
    axis = alt.Axis(**QUIET, format=axis_format(unit), tickCount=4)
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, top], nice=False, clamp=True), axis=axis)
    marks = _dots(rows, x) if unit == "share" else _bars(rows, x)
    goal = _goal(target, x) if target is not None else []
    return finished([*marks, *goal, _over("site", rows)], LINE * rows.height + 30)


def _bars(rows: pl.DataFrame, x: alt.X) -> list[Any]:
    return [chart(rows).mark_bar(height=14, cornerRadiusEnd=2).encode(y=_lines("site", rows), x=x, color=_shown())]


def _dots(rows: pl.DataFrame, x: alt.X) -> list[Any]:
    y = _lines("site", rows)
    interval = chart(rows).mark_rule(strokeWidth=6, opacity=0.35, strokeCap="round", color=palette().measure)
    return [interval.encode(y=y, x="low:Q", x2="high:Q"), chart(rows).mark_circle(size=120, opacity=1).encode(y=y, x=x, color=_shown())]


def _shown() -> Any:
    return alt.condition("datum.is_shown", alt.value(palette().measure), alt.value(palette().context))


def _goal(target: float, x: alt.X) -> list[Any]:
    row = chart(pl.DataFrame({"value": [target], "words": ["target"]}))
    words = row.mark_text(color=palette().muted, align="right", dx=-5, y=alt.expr("height"), dy=-4, baseline="bottom", fontSize=11)
    return [row.mark_rule(color=palette().text, strokeDash=DOTTED, strokeWidth=1.5).encode(x=x), words.encode(x=x, text="words:N")]


def _lines(field: str, rows: pl.DataFrame) -> alt.Y:
    return alt.Y(field, type="nominal", sort=rows[field].to_list(), axis=None, scale=alt.Scale(type="band"))


def _over(field: str, rows: pl.DataFrame) -> Any:
    """Write the text of each line over its mark, where it has the whole width, on a phone too."""
    words = chart(rows).mark_text(align="left", baseline="bottom", x=0, dy=-9, color=palette().text, fontSize=12.5, fontWeight=500)
    return words.encode(y=_lines(field, rows), text="text:N")


def ageing(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw the backlog by age and priority; rows: age, priority, orders."""
    colours, most = palette(), max([1, *rows["orders"].to_list()])
    ages = rows["age"].unique(maintain_order=True).to_list()
    x = alt.X("age:O", sort=ages, axis=alt.Axis(**QUIET, labelAngle=0, orient="top", labelPadding=6))
    y = alt.Y("priority:N", sort=list(PRIORITIES.values()), axis=alt.Axis(**QUIET, labelPadding=8))
    base = chart(rows).encode(x=x, y=y, tooltip=tooltip(age="Age", priority="Priority", orders="Orders"))
    shade = alt.Scale(type="sqrt", domain=[0, most], range=[colours.faint, colours.measure])
    cells = base.mark_rect(stroke=colours.surface, strokeWidth=3, cornerRadius=4).encode(
        color=alt.Color("orders:Q", legend=None, scale=shade)
    )
    ink = alt.condition(f"datum.orders > {most * 0.35}", alt.value(colours.ink), alt.value(colours.text))
    return finished([cells, base.mark_text(fontSize=13, fontWeight=600).encode(text="orders:Q", color=ink)], 230)


def matrix(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw the freshness of each endpoint of each organisation; rows: endpoint, organisation, state, text, told."""
    colours, endpoints = palette(), rows["endpoint"].unique(maintain_order=True).to_list()
    lines = max(len(name.split()) for name in rows["organisation"])
    x = alt.X("organisation:N", axis=alt.Axis(**QUIET, labelAngle=0, orient="top", labelPadding=6 + 13 * (lines - 1), labelExpr=ON_LINES))
    y = alt.Y("endpoint:N", sort=endpoints, axis=alt.Axis(**QUIET, labelPadding=8, labelLimit=170))
    base = chart(rows).encode(x=x, y=y, tooltip=told())
    fills = alt.Scale(domain=list(STATES), range=[colours.faint, colours.late, colours.bad, colours.context])
    cells = base.mark_rect(stroke=colours.surface, strokeWidth=3, cornerRadius=4)
    cells = cells.encode(color=alt.Color("state:N", scale=fills, legend=None))
    ink = alt.condition("datum.state === 'late' || datum.state === 'failed'", alt.value("#10161B"), alt.value(colours.text))
    return finished([cells, base.mark_text(fontSize=12).encode(text="text:N", color=ink)], CELL * len(endpoints) + 36 + 13 * lines)

"""The charts: one visual system, where a hue means the same thing everywhere and grey is context."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl
import streamlit as st

from dashboards.format import PRIORITIES

HEIGHT = 250
OUTCOMES = {"on_time": "On time", "late": "Late", "missed": "Missed", "not_yet_due": "Not yet due"}
STATES = ("read", "late", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Palette:
    """The hues (Okabe-Ito, tuned to the surface) and what each means."""

    measure: str  # what is measured
    second: str  # a second measure beside it
    good: str  # on time, done
    late: str  # late
    bad: str  # missed, down, failed: needs a hand
    context: str  # all else
    text: str
    muted: str
    surface: str
    faint: str  # the lowest step of a scale


LIGHT = Palette("#0072B2", "#A85C86", "#009E73", "#E69F00", "#C44E00", "#B4BCC3", "#1C242B", "#56626C", "#FFFFFF", "#E4EFF6")
DARK = Palette("#56B4E9", "#D896B8", "#35BE97", "#F0B43C", "#F0803C", "#5B6873", "#E8ECEF", "#A4AFB8", "#12171C", "#1B2D3A")


def palette() -> Palette:
    """Return the palette of the theme that the reader sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def _axis_format(unit: str) -> str:
    return ".0%" if unit == "share" else ",~r"


def _x(labels: Sequence[str], field: str = "label") -> alt.X:
    axis = alt.Axis(title=None, labelAngle=0, labelOverlap="greedy", ticks=False, domain=False, grid=False, labelPadding=6)
    return alt.X(f"{field}:O", sort=list(labels), scale=alt.Scale(type="band", paddingInner=0.25), axis=axis)


def _y(field: str, unit: str = "orders", title: str | None = None, **scale: object) -> alt.Y:
    axis = alt.Axis(title=title, format=_axis_format(unit), tickCount=4, ticks=False, domain=False, titleAngle=0, titleAlign="left", titleY=-10, titleX=0)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(**scale))


def _share_domain(rows: pl.DataFrame, target: float | None) -> dict[str, object]:
    columns = [name for name in ("value", "second", "low") if name in rows.columns]
    least = min([value for name in columns if (value := rows[name].min()) is not None] + ([target] if target else []), default=0.0)
    return {"domain": [max(0.0, int(least * 20 - 0.2) / 20), 1.0], "nice": False, "clamp": True}


def trend(rows: pl.DataFrame, unit: str, target: float | None = None, second: str | None = None) -> alt.LayerChart:
    """Draw one measure over time.

    The open period is hollow and dashed, a period without a value is a grey band, the interval a pale one.

    Args:
        rows: label, value, low, high, is_open, is_shown (the chosen period), text, told (the tooltip); optionally `second`.
        unit: of the values.
        target: drawn as a thin line.
        second: the name of the second measure, shown at the end of its line.
    """
    colours = palette()
    scale = _share_domain(rows, target) if unit == "share" else {"zero": True, "nice": True}
    x, y = _x(rows["label"].to_list()), _y("value", unit, **scale)
    tooltip = [alt.Tooltip("told:N", title=" ")]
    base = alt.Chart(rows)
    layers: list[alt.Chart | alt.LayerChart] = [base.transform_filter("datum.value === null").mark_rect(color=colours.context, opacity=0.22).encode(x=x, tooltip=tooltip)]
    if rows["low"].null_count() < rows.height:
        layers.append(base.mark_area(color=colours.measure, opacity=0.14, interpolate="monotone").encode(x=x, y=_y("low", unit, **scale), y2="high:Q"))
    if target is not None:
        layers.extend(_target(target, unit, scale))
    if second:
        layers.extend(_second(base, x, unit, scale, second, rows))
    closed = base.transform_filter("!datum.is_open")
    layers.append(closed.mark_line(color=colours.measure, strokeWidth=2.25, interpolate="monotone").encode(x=x, y=y))
    layers.append(alt.Chart(rows.tail(2)).transform_filter(f"{str(bool(rows['is_open'].any())).lower()}").mark_line(color=colours.measure, strokeDash=[3, 3], strokeWidth=1.75).encode(x=x, y=y))
    layers.append(closed.mark_circle(color=colours.measure, size=26, opacity=1).encode(x=x, y=y, tooltip=tooltip))
    layers.append(base.transform_filter("datum.is_open").mark_point(color=colours.measure, fill=colours.surface, size=46, strokeWidth=1.75, opacity=1).encode(x=x, y=y, tooltip=tooltip))
    shown = base.transform_filter("datum.is_shown")
    layers.append(shown.mark_circle(color=colours.measure, size=90, opacity=1).encode(x=x, y=y, tooltip=tooltip))
    layers.append(shown.mark_text(color=colours.text, dy=-14, fontWeight=600, fontSize=13).encode(x=x, y=y, text="text:N"))
    return _finished(alt.layer(*layers))


def _target(target: float, unit: str, scale: dict[str, object]) -> list[alt.Chart]:
    colours, row = palette(), pl.DataFrame({"target": [target], "words": ["target"]})
    y = _y("target", unit, **scale)
    rule = alt.Chart(row).mark_rule(color=colours.muted, strokeDash=[2, 3], strokeWidth=1.25).encode(y=y)
    return [rule, alt.Chart(row).mark_text(color=colours.muted, align="left", baseline="bottom", dy=-3, x=2, fontSize=11).encode(y=y, text="words:N")]


def _second(base: alt.Chart, x: alt.X, unit: str, scale: dict[str, object], name: str, rows: pl.DataFrame) -> list[alt.Chart]:
    colours, y = palette(), _y("second", unit, **scale)
    line = base.mark_line(color=colours.second, strokeWidth=1.75, strokeDash=[6, 3], interpolate="monotone").encode(x=x, y=y)
    last = alt.Chart(rows.filter(pl.col("second").is_not_null() & ~pl.col("is_open")).tail(1).with_columns(pl.lit(name).alias("name")))
    return [line, last.mark_text(color=colours.second, align="right", dy=-10, dx=8, fontSize=12, fontWeight=600).encode(x=x, y=y, text="name:N")]


def sparkline(rows: pl.DataFrame, target: float | None, unit: str) -> alt.LayerChart:
    """Draw the last periods of a tile, the open one hollow, the target as a thin line; rows: position, value, is_open."""
    colours = palette()
    values = [value for value in rows["value"].to_list() if value is not None] + ([target] if target is not None else [])
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    ceiling = min(high + room, 1.0 + room / 3) if unit == "share" else high + room
    x = alt.X("position:Q", axis=None, scale=alt.Scale(domain=[0, max(rows.height - 1, 1)], padding=5))
    y = alt.Y("value:Q", axis=None, scale=alt.Scale(domain=[low - room, ceiling], zero=False, nice=False))
    base = alt.Chart(rows)
    closed, newest = base.transform_filter("!datum.is_open"), base.transform_filter("datum.is_open")
    layers: list[alt.Chart | alt.LayerChart] = []
    if target is not None:
        layers.append(alt.Chart(pl.DataFrame({"value": [target]})).mark_rule(color=colours.muted, strokeDash=[2, 3], strokeWidth=1).encode(y=y))
    layers.append(closed.mark_line(color=colours.measure, strokeWidth=2, interpolate="monotone").encode(x=x, y=y))
    layers.append(alt.Chart(rows.filter(pl.col("is_shown"))).mark_circle(color=colours.measure, size=42, opacity=1).encode(x=x, y=y))
    layers.append(newest.mark_point(color=colours.measure, fill=colours.surface, size=34, strokeWidth=1.5, opacity=1).encode(x=x, y=y))
    return alt.layer(*layers).properties(height=44).configure_view(strokeWidth=0)


def cohorts(rows: pl.DataFrame, tops: pl.DataFrame) -> alt.LayerChart:
    """Draw what became of the orders due in each period; rows: label, outcome, rank, orders; tops: label, total, text (above the bar)."""
    colours = palette()
    labels = tops["label"].to_list()
    colour = alt.Color(
        "outcome:N",
        scale=alt.Scale(domain=list(OUTCOMES.values()), range=[colours.good, colours.late, colours.bad, colours.context]),
        legend=alt.Legend(title=None, orient="top", symbolType="square", labelLimit=200, offset=4),
    )
    tooltip = [alt.Tooltip("label:N", title="Due in"), alt.Tooltip("outcome:N", title="Outcome"), alt.Tooltip("orders:Q", title="Orders")]
    bars = alt.Chart(rows).mark_bar(stroke=colours.surface, strokeWidth=0.8).encode(
        x=_x(labels), y=_y("orders", "orders"), color=colour, order=alt.Order("rank:Q"), tooltip=tooltip
    )
    words = alt.Chart(tops).mark_text(dy=-8, fontSize=11, color=colours.text).encode(x=_x(labels), y=_y("total"), text="text:N")
    return _finished(alt.layer(bars, words))


def buckets(rows: pl.DataFrame, colour: str | None = None, title: str | None = None) -> alt.LayerChart:
    """Draw a histogram over fixed buckets; rows: bucket, orders, in order; optionally `series` for two beside each other."""
    colours, names = palette(), rows["bucket"].unique(maintain_order=True).to_list()
    x = _x(names, "bucket")
    y = _y("orders", title=title)
    tooltip = [alt.Tooltip("bucket:N", title="Bucket"), alt.Tooltip("orders:Q", title="Orders")]
    base = alt.Chart(rows).encode(x=x, y=y, tooltip=tooltip)
    bars = base.mark_bar(color=colour or colours.measure, cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
    return _finished(alt.layer(bars, base.mark_text(dy=-8, color=colours.text, fontSize=12).encode(text="orders:Q")))


def ladder(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw hours on a log scale, one dot a measure; rows: measure, value, text, is_main."""
    colours, names = palette(), rows["measure"].to_list()
    domain = [min(1.0, (rows["value"].min() or 1.0) / 1.6), (rows["value"].max() or 10.0) * 6]
    y = alt.Y("measure:N", sort=names, axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=230, labelPadding=8, grid=True))
    axis = alt.Axis(title="hours, log scale", grid=True, tickCount=4, format="~r", domain=False, ticks=False)
    x = alt.X("value:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis)
    base = alt.Chart(rows).encode(y=y, x=x)
    dots = base.mark_circle(size=130, opacity=1).encode(color=alt.condition("datum.is_main", alt.value(colours.measure), alt.value(colours.second)))
    words = base.mark_text(align="left", dx=12, color=colours.text, fontSize=13, fontWeight=600).encode(text="text:N")
    return _finished(alt.layer(dots, words), height=44 * rows.height + 40)


def by_site(rows: pl.DataFrame, unit: str, target: float | None = None, *, bars: bool = False) -> alt.LayerChart:
    """Draw one value a site, as bars or as dots with their interval; rows: site, value, low, high, text, is_shown."""
    colours, names = palette(), rows["site"].to_list()
    y = alt.Y("site:N", sort=names, axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=150, labelPadding=8))
    highest = max([value for name in ("value", "high") if (value := rows[name].max()) is not None] + [target or 0.0], default=1.0) or 1.0
    domain = [0, highest * 1.35]
    values = [0, 0.25, 0.5, 0.75, 1] if unit == "share" else None
    axis = alt.Axis(title=None, format=_axis_format(unit), tickCount=4, ticks=False, domain=False, **({"values": values} if values else {}))
    x = alt.X("value:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)
    base = alt.Chart(rows).encode(y=y, x=x)
    fill = alt.condition("datum.is_shown", alt.value(colours.measure), alt.value(colours.context))
    layers: list[alt.Chart | alt.LayerChart] = []
    if bars:
        layers.append(base.mark_bar(height=18, cornerRadiusEnd=2).encode(color=fill))
    else:
        layers.append(alt.Chart(rows).mark_rule(strokeWidth=5, opacity=0.35, strokeCap="round", color=colours.measure).encode(y=y, x=alt.X("low:Q"), x2="high:Q"))
        layers.append(base.mark_circle(size=110, opacity=1).encode(color=fill))
    if target is not None:
        row = pl.DataFrame({"value": [target], "words": ["target"]})
        layers.append(alt.Chart(row).mark_rule(color=colours.muted, strokeDash=[2, 3], strokeWidth=1.5).encode(x=x))
        layers.append(alt.Chart(row).mark_text(color=colours.muted, align="left", dx=4, y=2, baseline="bottom", fontSize=11).encode(x=x, text="words:N"))
    anchor = alt.X("end:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)
    layers.append(alt.Chart(rows).mark_text(align="left", dx=9, color=colours.text, fontSize=12).encode(y=y, x=anchor, text="text:N"))
    return _finished(alt.layer(*layers), height=46 * rows.height + 34)


def flow(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw what came in above the line and what went out below it; rows: label, created, completed (negative), net, is_open."""
    colours, labels = palette(), rows["label"].to_list()
    axis = alt.Axis(title=None, format=",~r", labelExpr="format(abs(datum.value), ',')", tickCount=5, ticks=False, domain=False)
    x, faded = _x(labels), alt.condition("datum.is_open", alt.value(0.45), alt.value(1))

    def side(field: str, colour: str) -> alt.Chart:
        return alt.Chart(rows).mark_bar(color=colour).encode(x=x, y=alt.Y(f"{field}:Q", axis=axis), opacity=faded, tooltip=[alt.Tooltip("told:N", title=" ")])

    net = alt.Chart(rows).mark_tick(color=colours.text, thickness=2.5).encode(x=x, y=alt.Y("net:Q", axis=axis), tooltip=[alt.Tooltip("told:N", title=" ")])
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=colours.muted).encode(y=alt.Y("zero:Q", axis=axis))
    return _finished(alt.layer(side("created", colours.context), side("completed", colours.good), zero, net))


def ageing(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw the backlog by age and priority; rows: age, priority, orders."""
    colours = palette()
    most = int(rows["orders"].max() or 1)
    ages = rows["age"].unique(maintain_order=True).to_list()
    x = alt.X("age:O", sort=ages, axis=alt.Axis(title=None, labelAngle=0, orient="top", ticks=False, domain=False, labelPadding=6))
    y = alt.Y("priority:N", sort=list(PRIORITIES.values()), axis=alt.Axis(title=None, ticks=False, domain=False, labelPadding=8))
    tooltip = [alt.Tooltip("age:N", title="Age"), alt.Tooltip("priority:N", title="Priority"), alt.Tooltip("orders:Q", title="Orders")]
    base = alt.Chart(rows).encode(x=x, y=y, tooltip=tooltip)
    shade = alt.Color("orders:Q", legend=None, scale=alt.Scale(type="sqrt", domain=[0, most], range=[colours.faint, colours.measure]))
    cells = base.mark_rect(stroke=colours.surface, strokeWidth=3, cornerRadius=4).encode(color=shade)
    ink = alt.condition(f"datum.orders > {most * 0.35}", alt.value("#FFFFFF" if colours is LIGHT else "#08121A"), alt.value(colours.text))
    return _finished(alt.layer(cells, base.mark_text(fontSize=13, fontWeight=600).encode(text="orders:Q", color=ink)), height=230)


def matrix(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw the freshness of each endpoint of each organisation; rows: endpoint, organisation, state, text, told."""
    colours = palette()
    endpoints = rows["endpoint"].unique(maintain_order=True).to_list()
    x = alt.X("organisation:N", axis=alt.Axis(title=None, labelAngle=0, orient="top", ticks=False, domain=False, labelPadding=6, labelLimit=170))
    y = alt.Y("endpoint:N", sort=endpoints, axis=alt.Axis(title=None, ticks=False, domain=False, labelPadding=8, labelLimit=170))
    base = alt.Chart(rows).encode(x=x, y=y, tooltip=[alt.Tooltip("told:N", title=" ")])
    fills = alt.Scale(domain=list(STATES), range=[colours.faint, colours.late, colours.bad, colours.context])
    cells = base.mark_rect(stroke=colours.surface, strokeWidth=3, cornerRadius=4).encode(color=alt.Color("state:N", scale=fills, legend=None))
    ink = alt.condition("datum.state === 'read'", alt.value(colours.text), alt.value("#10161B"))
    return _finished(alt.layer(cells, base.mark_text(fontSize=12).encode(text="text:N", color=ink)), height=30 * len(endpoints) + 36)


def _finished(chart: alt.LayerChart, height: int = HEIGHT) -> alt.LayerChart:
    return chart.properties(height=height).configure_view(strokeWidth=0).configure_axis(gridOpacity=0.5, labelFontSize=12)

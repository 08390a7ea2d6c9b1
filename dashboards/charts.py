"""Charts over time: a trend, a tile's sparkline, due cohorts, flow in and out."""

from typing import Any

import altair as alt
import polars as pl

from dashboards.canvas import DOTTED, QUIET, chart, finished, measured, ordered, palette, told, tooltip

OUTCOMES = {"on_time": "On time", "late": "Late", "missed": "Missed", "not_yet_due": "Not yet due"}


def trend(rows: pl.DataFrame, unit: str, target: float | None = None, second: str | None = None) -> alt.LayerChart:
    """Draw one measure over time.

    The open period is hollow and dashed, a period without a value is a grey band, the interval a pale one.

    Args:
        rows: label, value, low, high, is_open, is_shown (the chosen period), text, told (the tooltip); optionally `second`.
        unit: of the values.
        target: drawn as a dotted line.
        second: the name of the second measure, written at the end of its line.
    """
    scale = _share_scale(rows, target) if unit == "share" else {"zero": True, "nice": True}
    at = {"x": ordered(rows["label"].to_list()), "y": measured("value", unit, scale)}
    layers = [_gaps(rows, at["x"])]
    if rows["low"].null_count() < rows.height:
        layers.append(_interval(rows, at["x"], measured("low", unit, scale)))
    if target is not None:
        layers.append(_target(target, unit, scale))
    if second:
        layers.extend(_second(rows, at["x"], measured("second", unit, scale), second))
    return finished([*layers, *_line(rows, at), *_chosen(rows, at)])


def _share_scale(rows: pl.DataFrame, target: float | None) -> dict[str, Any]:
    columns = [rows[name].cast(pl.Float64).drop_nulls() for name in ("value", "second", "low")]
    least = min([*pl.concat(columns).to_list(), *([target] if target else [])], default=0.0)
    return {"domain": [max(0.0, int(least * 20 - 0.2) / 20), 1.0], "nice": False, "clamp": True}


def _gaps(rows: pl.DataFrame, x: alt.X) -> Any:
    return chart(rows).transform_filter("datum.value === null").mark_rect(color=palette().context, opacity=0.22).encode(x=x, tooltip=told())


def _interval(rows: pl.DataFrame, x: alt.X, low: alt.Y) -> Any:
    return chart(rows).mark_area(color=palette().measure, opacity=0.14).encode(x=x, y=low, y2="high:Q")


def _target(target: float, unit: str, scale: dict[str, Any]) -> Any:
    rule = chart(pl.DataFrame({"target": [target]})).mark_rule(color=palette().text, strokeDash=DOTTED, strokeWidth=1.25)
    return rule.encode(y=measured("target", unit, scale))


def _second(rows: pl.DataFrame, x: alt.X, y: alt.Y, name: str) -> list[Any]:
    """Draw the second measure, named where it is farthest from the first."""
    colour, closed = palette().second, rows.filter(~pl.col("is_open"))
    line = chart(closed).mark_line(color=colour, strokeWidth=1.75, strokeDash=[6, 3]).encode(x=x, y=y)
    apart = (
        closed.with_columns((pl.col("second") - pl.col("value")).alias("apart"))[:-4]
        .drop_nulls("apart")
        .sort(pl.col("apart").abs())
        .tail(1)
    )
    if apart.is_empty():
        return [line]
    side = "left" if closed["label"].to_list().index(apart["label"].item()) < closed.height / 2 else "right"
    style = {"align": side, "dy": -10 if apart["apart"].item() > 0 else 14, "fontSize": 12, "fontWeight": 600}
    words = chart(apart.with_columns(pl.lit(name).alias("name")))
    halo = words.mark_text(stroke=palette().surface, strokeWidth=4, strokeJoin="round", **style)
    return [line, halo.encode(x=x, y=y, text="name:N"), words.mark_text(color=colour, **style).encode(x=x, y=y, text="name:N")]


def _line(rows: pl.DataFrame, at: dict[str, Any]) -> list[Any]:
    colours = palette()
    closed, still_open = chart(rows.filter(~pl.col("is_open"))), chart(rows.filter("is_open"))
    tail = chart(rows.tail(2) if rows["is_open"].any() else rows.clear())
    hollow = {"color": colours.measure, "fill": colours.surface, "size": 46, "strokeWidth": 1.75, "opacity": 1}
    return [
        closed.mark_line(color=colours.measure, strokeWidth=2.25).encode(**at),
        tail.mark_line(color=colours.measure, strokeWidth=1.75, strokeDash=[3, 3]).encode(**at),
        closed.mark_circle(color=colours.measure, size=26, opacity=1).encode(**at, tooltip=told()),
        still_open.mark_point(**hollow).encode(**at, tooltip=told()),
    ]


def _chosen(rows: pl.DataFrame, at: dict[str, Any]) -> list[Any]:
    """Mark the chosen period and write its value above, or below where its neighbours lie higher, with a halo over the lines."""
    colours, shown = palette(), chart(rows.filter("is_shown"))
    position = rows["is_shown"].arg_max() or 0
    around = rows["value"][max(position - 2, 0) : position + 2].drop_nulls()
    here = rows["value"][position]
    room = 0.12 * max([0.0, *rows["value"].drop_nulls().to_list()])
    is_low = here is not None and room < here < sum(around) / len(around)
    is_last = position >= rows.height - 2
    style = {
        "dy": 20 if is_low else -15,
        "dx": 8 if is_last else 0,
        "align": "right" if is_last else "center",
        "fontWeight": 600,
        "fontSize": 13,
    }
    return [
        shown.mark_circle(color=colours.measure, size=90, opacity=1).encode(**at, tooltip=told()),
        shown.mark_text(stroke=colours.surface, strokeWidth=4, strokeJoin="round", **style).encode(**at, text="text:N"),
        shown.mark_text(color=colours.text, **style).encode(**at, text="text:N"),
    ]


def sparkline(rows: pl.DataFrame, target: float | None, unit: str) -> alt.LayerChart:
    """Draw the last periods of a tile, the open one hollow, the target dotted; rows: position, value, is_open, is_shown."""
    colours, closed = palette(), rows.filter(~pl.col("is_open"))
    x = alt.X("position:Q", axis=None, scale=alt.Scale(domain=[0, max(rows.height - 1, 1)], padding=5))
    at = {"x": x, "y": alt.Y("value:Q", axis=None, scale=alt.Scale(domain=_spark_domain(rows, target, unit), zero=False, nice=False))}
    goal = chart(pl.DataFrame({"value": [target]}, schema={"value": pl.Float64}).drop_nulls())
    layers = [
        goal.mark_rule(color=colours.muted, strokeDash=DOTTED, strokeWidth=1).encode(y=at["y"]),
        chart(closed).mark_line(color=colours.measure, strokeWidth=2).encode(**at),
        chart(closed).mark_circle(color=colours.measure, size=9, opacity=1).encode(**at),  # a value between two gaps has no line
        chart(rows.filter("is_shown")).mark_circle(color=colours.measure, size=42, opacity=1).encode(**at),
        chart(rows.filter("is_open"))
        .mark_point(color=colours.measure, fill=colours.surface, size=34, strokeWidth=1.5, opacity=1)
        .encode(**at),
    ]
    whole: Any = alt.layer(*layers)
    return whole.properties(height=40, padding={"top": 2, "bottom": 2, "left": 0, "right": 0}).configure_view(strokeWidth=0)


def _spark_domain(rows: pl.DataFrame, target: float | None, unit: str) -> list[float]:
    values = [*rows["value"].drop_nulls().to_list(), *([target] if target is not None else [])]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    return [low - room, min(high + room, 1 + room / 3) if unit == "share" else high + room]


def cohorts(rows: pl.DataFrame, tops: pl.DataFrame) -> alt.LayerChart:
    """Draw what became of the orders due in each period.

    Args:
        rows: label, outcome, rank, orders.
        tops: label, total, text (above the bar), distance (from the chosen period: where room is short, not every text is shown).
    """
    colours, x = palette(), ordered(tops["label"].to_list())
    fills = alt.Scale(domain=list(OUTCOMES.values()), range=[colours.good, colours.late, colours.bad, colours.context])
    legend = alt.Legend(title=None, orient="top", symbolType="square", labelLimit=200, offset=4)
    bars = chart(rows).mark_bar(stroke=colours.surface, strokeWidth=0.8)
    bars = bars.encode(
        x=x,
        y=measured("orders"),
        color=alt.Color("outcome:N", scale=fills, legend=legend),
        order=alt.Order("rank:Q"),
        tooltip=tooltip(label="Due in", outcome="Outcome", orders="Orders"),
    )
    room = "datum.distance % (width < 420 ? 5 : width < 700 ? 2 : 1) == 0"
    words = chart(tops).mark_text(dy=-8, fontSize=11, color=colours.text)
    words = words.encode(x=x, y=measured("total"), text="text:N", opacity=alt.condition(room, alt.value(1), alt.value(0)))
    return finished([bars, words])


def flow(rows: pl.DataFrame) -> alt.LayerChart:
    """Draw what came in above the line and what went out below it; rows: label, created, completed (negative), net, is_open, told."""
    colours, x = palette(), ordered(rows["label"].to_list())
    axis = alt.Axis(**QUIET, labelExpr="format(abs(datum.value), ',')", tickCount=5)
    faded = alt.condition("datum.is_open", alt.value(0.45), alt.value(1))

    def y(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", axis=axis)

    return finished(
        [
            chart(rows).mark_bar(color=colours.context).encode(x=x, y=y("created"), opacity=faded, tooltip=told()),
            chart(rows).mark_bar(color=colours.good).encode(x=x, y=y("completed"), opacity=faded, tooltip=told()),
            chart(pl.DataFrame({"zero": [0]})).mark_rule(color=colours.muted).encode(y=y("zero")),
            chart(rows).mark_tick(color=colours.text, thickness=2.5).encode(x=x, y=y("net"), tooltip=told()),
        ]
    )

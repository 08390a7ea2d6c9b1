"""What all charts share: the palette, where a hue means the same thing everywhere and grey is context, and the axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

HEIGHT = 250
MARGIN = {"top": 6, "bottom": 4, "left": 2, "right": 4}
QUIET: dict[str, Any] = {"title": None, "ticks": False, "domain": False}  # axes without ornament
DOTTED = [2, 3]  # targets


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
    ink: str  # text on the highest step of a scale


LIGHT = Palette(
    measure="#0072B2",
    second="#A85C86",
    good="#009E73",
    late="#E69F00",
    bad="#C44E00",
    context="#B4BCC3",
    text="#1C242B",
    muted="#56626C",
    surface="#FFFFFF",
    faint="#E4EFF6",
    ink="#FFFFFF",
)
DARK = Palette(
    measure="#56B4E9",
    second="#D896B8",
    good="#35BE97",
    late="#F0B43C",
    bad="#F0803C",
    context="#5B6873",
    text="#E8ECEF",
    muted="#A4AFB8",
    surface="#12171C",
    faint="#1B2D3A",
    ink="#08121A",
)


def palette() -> Palette:
    """Return the palette of the theme that the reader sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def chart(rows: pl.DataFrame) -> Any:
    """Return an empty chart of the rows."""
    return alt.Chart(rows)


def told() -> list[alt.Tooltip]:
    """Return the tooltip of rows that have one sentence for it."""
    return [alt.Tooltip("told:N", title=" ")]


def tooltip(**titles: str) -> list[alt.Tooltip]:
    """Return a tooltip with these fields under these titles."""
    return [alt.Tooltip(field, title=title) for field, title in titles.items()]


def axis_format(unit: str) -> str:
    """Return how an axis writes the values of a unit."""
    return ".0%" if unit == "share" else ",~r"


def ordered(labels: Sequence[str], field: str = "label") -> alt.X:
    """Return the axis of periods or buckets, in the order given; labels that would run into each other are left out."""
    axis = alt.Axis(**QUIET, labelAngle=0, labelOverlap="greedy", grid=False, labelPadding=6)
    return alt.X(field, type="ordinal", sort=list(labels), scale=alt.Scale(type="band", paddingInner=0.25), axis=axis)


def measured(field: str, unit: str = "orders", scale: dict[str, Any] | None = None) -> alt.Y:
    """Return the axis of values."""
    axis = alt.Axis(**QUIET, format=axis_format(unit), tickCount=4, tickMinStep=1 if unit == "orders" else 0)
    return alt.Y(field, type="quantitative", axis=axis, scale=alt.Scale(**(scale or {})))


def finished(layers: Sequence[Any], height: int = HEIGHT) -> alt.LayerChart:
    """Return the layers as one chart without a frame."""
    whole: Any = alt.layer(*layers)
    return whole.properties(height=height, padding=MARGIN).configure_view(strokeWidth=0).configure_axis(gridOpacity=0.5, labelFontSize=12)

"""What pages are made of: the head, tiles, figures with their table, lists. Text of records is escaped, never interpreted."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import polars as pl
import streamlit as st

from dashboards import charts, data
from dashboards.filters import ALL_SITES, Selection
from dashboards.format import MISSING, code, csv, instant
from dashboards.readings import Reading
from dashboards.series import sparkline

ROW_PIXELS = 36
REFRESHED_EVERY = timedelta(hours=24)
COLUMN_NAMES = {"n": "n", "pms": "PMs"}
COLUMN_FORMATS = {
    "_hours": st.column_config.NumberColumn(format="%.1f"),
    "hours": st.column_config.NumberColumn(format="%.1f"),
    "_share": st.column_config.NumberColumn(format="percent"),
    "_on": st.column_config.DateColumn(format="D MMM YYYY"),
    "_url": st.column_config.LinkColumn(display_text="Open"),
    "seconds": st.column_config.NumberColumn(format="%.1f"),
}


def head(selection: Selection, page: str, finding: str, *, when: str | None = None, is_filtered: bool = True) -> None:
    """Draw the top of a page: where and when, the finding as the title, and how fresh the data is."""
    place = [selection.organisation_name, selection.sites[selection.site_id] if selection.site_id else ALL_SITES, when or selection.span]
    words = " · ".join(escape(part) for part in (place if is_filtered else ["All organisations"]))
    st.html(
        f'<header class="mx-head"><p class="mx-eyebrow"><b>{escape(page)}</b> · {words}</p>'
        f'<h1>{escape(finding)}</h1><p class="mx-fresh">{_freshness(selection, is_filtered=is_filtered)}</p></header>'
    )


def _freshness(selection: Selection, *, is_filtered: bool) -> str:
    rows = {row["organisation_id"]: row for row in data.freshness(selection.version).iter_rows(named=True)}
    if is_filtered:
        return _fresh(rows.get(selection.organisation_id, {}), selection.zone, selection.now)
    organisations = data.organisations(selection.version).iter_rows()
    lines = ((name, _fresh(rows.get(identifier, {}), ZoneInfo(zone), selection.now)) for identifier, name, zone in organisations)
    return "<br>".join(f"{escape(name)}: {line}" for name, line in lines)


def _fresh(row: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> str:
    if row.get("data_to") is None:
        return "the source has not been read completely yet"
    marks = []
    late = int((now - row["read_at"] - REFRESHED_EVERY) / timedelta(hours=1)) if row["read_at"] else 0
    if late > 0:
        marks.append(f"{late:,} h late")
    if row["last_status"] == "failed":
        marks.append("the last run failed, these are the last good figures")
    words = f"data to {escape(instant(row['data_to'], zone))}"
    return words + "".join(f' <span class="mx-mark">{escape(mark)}</span>' for mark in marks)


def section(words: str) -> None:
    """Draw the heading of a part of a page."""
    st.html(f'<h2 class="mx-section">{escape(words)}</h2>')


def note(words: str) -> None:
    """Draw a remark."""
    st.html(f'<p class="mx-note">{escape(words)}</p>')


def empty(words: str) -> None:
    """Say that there is nothing to draw, and which filter has no rows."""
    st.html(f'<p class="mx-empty">{escape(words)}</p>')


def nothing(selection: Selection, what: str) -> str:
    """Return which filter has no rows: `no repair was completed in Porto in W46, 9-15 Nov 2026`."""
    return f"{what} in {selection.place} in {selection.span}."


def tile(selection: Selection, reading: Reading, *, index: int | None = None) -> None:
    """Draw one KPI: value, change, the last 13 periods with the target, of how many on which basis."""
    row = reading.row
    change, verdict = (reading.change_words, reading.verdict) if reading.value is not None else (reading.missing_words, "missing")
    st.html(
        f'<div class="mx-tile"><h3>{escape(reading.label)}</h3><p class="mx-value">{escape(reading.text)}</p>'
        f'<p class="mx-change {verdict}">{escape(change)}</p></div>'
    )
    points = sparkline(selection, row["kpi"], index)
    if points["value"].drop_nulls().len() > 1:
        told = f"{reading.label}, the last {points.height} {selection.grain}s; {reading.text} now, {change}"
        st.altair_chart(charts.sparkline(points, row["target"], row["unit"]), alt=told, key=f"spark_{row['kpi']}")
    thin, low = (' class="thin"', ", low") if reading.is_thin else ("", "")
    coverage = f"<span{thin}>{escape(reading.coverage)}{low}</span>" if reading.coverage else ""
    caption = " · ".join(part for part in (escape(reading.caption), coverage) if part)
    st.html(f'<div class="mx-tile"><p class="mx-caption">{caption}</p></div>')


def linked_tile(selection: Selection, reading: Reading, page: str, words: str, **more: str) -> None:
    """Draw a tile that opens a page, the filters taken along; `more` is for the URL."""
    with st.container(border=True, height="stretch", key=f"tile_{reading.row['kpi']}"):
        tile(selection, reading)
        parameters = st.query_params.to_dict() | more
        st.page_link(selection.pages[page], label=words, icon=":material/arrow_forward:", icon_position="right", query_params=parameters)


def tiles(selection: Selection, found: Iterable[Reading], columns: int, *, index: int | None = None) -> None:
    """Draw tiles beside each other, as many as fit."""
    grid = st.grid(columns, min_column_width=205)
    for reading in found:
        with grid.cell(), st.container(border=True, height="stretch", key=f"figures_{reading.row['kpi']}"):
            tile(selection, reading, index=index)


def figure(
    title: str,
    chart: alt.LayerChart,
    table: pl.DataFrame,
    name: str,
    *,
    told: str = "",
    remark: str | None = None,
    zone: ZoneInfo | None = None,
) -> None:
    """Draw a chart under the sentence it shows, with its table behind it.

    Args:
        title: the finding.
        chart: the picture.
        table: the rows behind the picture.
        name: of the CSV file, without its ending.
        told: the finding for those who cannot see the picture, where it says more than the title.
        remark: a line under the title: units, what a colour means.
        zone: of the instants in the table.
    """
    st.html(f'<h3 class="mx-title">{escape(title)}</h3>' + (f'<p class="mx-note">{escape(remark)}</p>' if remark else ""))
    st.altair_chart(chart, alt=told or title, key=f"chart_{name}")
    with st.expander("Table and CSV", type="compact", key=f"behind_{name}"):
        rows(table, name, zone)


def rows(table: pl.DataFrame, name: str, zone: ZoneInfo | None = None, most: int = 10) -> None:
    """Draw a table, `most` rows high, and offer it as CSV."""
    height = "content" if table.height <= most else most * ROW_PIXELS
    st.dataframe(
        table, hide_index=True, column_config=_columns(table, zone), placeholder=MISSING, height=height, key=f"table_{name}", alt=code(name)
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        file = csv(_local(table, zone))
        st.download_button(
            "Download CSV",
            file,
            f"{name}.csv",
            "text/csv",
            key=f"csv_{name}",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )
        if any(isinstance(kind, pl.Datetime) for kind in table.schema.values()):
            note(f"Times are those of {zone or 'UTC'}.")


def _columns(table: pl.DataFrame, zone: ZoneInfo | None) -> dict[str, Any]:
    return {column: _column(column, kind, zone) for column, kind in table.schema.items()}


def _column(name: str, kind: pl.DataType, zone: ZoneInfo | None) -> Any:
    words = name.removesuffix("_on").removesuffix("_url").removesuffix("_at")
    label = COLUMN_NAMES.get(words, code(words))
    if isinstance(kind, pl.Datetime):
        return st.column_config.DatetimeColumn(label, format="D MMM YYYY, HH:mm", timezone=str(zone or "UTC"))
    given = next((value for ending, value in COLUMN_FORMATS.items() if name.endswith(ending)), None)
    return {**given, "label": label} if given else st.column_config.Column(label)


def _local(table: pl.DataFrame, zone: ZoneInfo | None) -> pl.DataFrame:
    instants = [name for name, kind in table.schema.items() if isinstance(kind, pl.Datetime)]
    return table.with_columns(pl.col(name).dt.convert_time_zone(str(zone or "UTC")) for name in instants)


def listed(items: Iterable[tuple[str, str, str]], *, is_numbered: bool = False) -> None:
    """Draw a list; each item is a head in bold, words, and a smaller line under them."""
    entries = "".join(
        f"<li><b>{escape(title)}</b> {escape(words)}{f'<small>{escape(under)}</small>' if under else ''}</li>"
        for title, words, under in items
    )
    st.html(f'<ul class="mx-list{" numbered" if is_numbered else ""}">{entries}</ul>')


def judged(items: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> None:
    """Draw a list of sentences whose clauses are coloured by what they mean; each item is a head and (verdict, words) clauses."""
    entries = []
    for title, clauses in items:
        words = "; ".join(f'<span class="{escape(verdict)}">{escape(text)}</span>' for verdict, text in clauses)
        entries.append(f"<li><b>{escape(title)}</b>: {words}.</li>")
    st.html(f'<ul class="mx-list">{"".join(entries)}</ul>')


def organisation_names(version: str) -> Mapping[int, str]:
    """Return the name of each organisation."""
    return dict(data.organisations(version).select("organisation_id", "organisation_name").iter_rows())

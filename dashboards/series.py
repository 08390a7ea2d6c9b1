"""Rows that charts draw: a KPI over time, a tile's sparkline, a KPI by site."""

from datetime import date

import polars as pl

from dashboards.filters import Selection
from dashboards.format import period_label, period_name, period_span, quantity, reason
from dashboards.readings import Reading, Row, of, read

SPARK_PERIODS = 13


def over_time(selection: Selection, kpi: str, second: str | None = None) -> pl.DataFrame:
    """Return what a trend draws: one row per shown period with label, value, low, high, is_open, is_shown, text, told."""
    rows = {row["period_start_on"]: row for row in of(selection, kpi).iter_rows(named=True)}
    others = {row["period_start_on"]: row["value"] for row in of(selection, second).iter_rows(named=True)} if second else {}
    drawn = [_point(selection, rows.get(period.start), period.start, others) for period in selection.shown]
    schema = {
        "label": pl.String,
        "period_start_on": pl.Date,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
        "is_open": pl.Boolean,
        "is_shown": pl.Boolean,
        "text": pl.String,
        "told": pl.String,
        "second": pl.Float64,
    }
    return pl.DataFrame(drawn, schema=schema, orient="row")


def _point(selection: Selection, row: Row | None, start: date, others: dict[date, float | None]) -> tuple[object, ...]:
    name = axis_label(selection, start)
    is_shown = start == selection.period.start
    if row is None:
        return (name, start, None, None, None, None, False, is_shown, "", f"{name}: no row", others.get(start))
    text = quantity(row["value"], row["unit"], row["denominator"])
    span = period_span(start, row["period_end_on"], selection.grain)
    told = f"{span}: {text}, n = {row['n']:,}" if row["value"] is not None else f"{span}: no value, {reason(row['reason'])}"
    is_open = row["window_state"] == "open"
    return (
        name,
        start,
        row["value"],
        row["interval_low"],
        row["interval_high"],
        row["n"],
        is_open,
        is_shown,
        text,
        told,
        others.get(start),
    )


def axis_label(selection: Selection, start: date) -> str:
    """Return the label of a period on an axis, unique among those shown."""
    return period_label(start, "week") if selection.grain == "week" else period_name(start, "month")


def by_site(selection: Selection, kpi: str, index: int | None = None) -> tuple[list[tuple[str, Reading]], str | None]:
    """Return the sites that have a value, the highest first, and a sentence about those that have none (and are sites indeed)."""
    unassigned = selection.unassigned
    found = [(name, reading) for site_id, name in selection.sites.items() if (reading := read(selection, kpi, site_id, index))]
    valued = sorted((item for item in found if item[1].value is not None), key=lambda item: -(item[1].value or 0.0))
    without = [
        f"{name}: {reading.missing_words}" for name, reading in found if reading.value is None and reading.row["site_id"] not in unassigned
    ]
    return valued, f"No value: {'; '.join(without)}" if without else None


def site_rows(selection: Selection, kpi: str) -> tuple[pl.DataFrame, str | None]:
    """Return what a chart by site draws: one row per site that has a value, the highest first, and a sentence about the others."""
    valued, without = by_site(selection, kpi)
    columns = {
        "site": [name for name, _ in valued],
        "value": [reading.value for _, reading in valued],
        "low": [reading.row["interval_low"] for _, reading in valued],
        "high": [reading.row["interval_high"] for _, reading in valued],
        "n": [reading.row["n"] for _, reading in valued],
        "words": [reading.text for _, reading in valued],
        "text": [f"{name}: {reading.text}, {reading.caption}" for name, reading in valued],
        "is_shown": [selection.site_id in {None, reading.row["site_id"]} for _, reading in valued],
    }
    schema = {
        "site": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
        "words": pl.String,
        "text": pl.String,
    }
    return pl.DataFrame(columns, schema=schema | {"is_shown": pl.Boolean}), without


def sparkline(selection: Selection, kpi: str, index: int | None = None) -> pl.DataFrame:
    """Return the last periods of a tile: position, value, is_open, is_shown."""
    at = selection.index if index is None else index
    rows = {row["period_start_on"]: row for row in of(selection, kpi).iter_rows(named=True)}
    periods = selection.periods[at : at + SPARK_PERIODS][::-1]
    if at == 1 and selection.periods[0].is_open:
        periods = (*periods[1:], selection.periods[0])
    points = [
        (
            position,
            rows[period.start]["value"] if period.start in rows else None,
            period.is_open,
            period.start == selection.periods[at].start and not period.is_open,
        )
        for position, period in enumerate(periods)
    ]
    return pl.DataFrame(
        points, schema={"position": pl.Int64, "value": pl.Float64, "is_open": pl.Boolean, "is_shown": pl.Boolean}, orient="row"
    )

"""Is preventive maintenance done when it is due?"""

import polars as pl
import streamlit as st

from dashboards import charts, comparisons, data, panels, readings, series
from dashboards.canvas import palette
from dashboards.charts import OUTCOMES
from dashboards.filters import Selection
from dashboards.format import TO, change, plural, quantity, share
from dashboards.readings import Reading

TITLE = "PM compliance"
ICON = ":material/event_available:"
ORDER = 3

TILES = ("pm_compliance", "pm_compliance_plus_1_day", "vendor_on_time_share")
LATENESS = ((7, "≤ 7 days"), (30, f"8{TO}30"), (90, f"31{TO}90"), (float("inf"), "> 90 days"))


def render(selection: Selection) -> None:
    """Draw the page."""
    found = {kpi: reading for kpi in TILES if (reading := readings.read(selection, kpi))}
    panels.head(selection, TITLE, finding(selection, found.get("pm_compliance")))
    panels.tiles(selection, found.values(), 3)
    if "vendor_on_time_share" in found:
        panels.note("MaintainX's own report counts every work order type by its current due date, and what is not yet due as on time.")
    left, right = st.columns([3, 2], gap="large")
    with left:
        _cohorts(selection)
    with right:
        _lateness(selection)
    if not selection.has_sites:
        _trend(selection, found)
    else:
        left, right = st.columns([3, 2], gap="large")
        with left:
            _trend(selection, found)
        with right:
            _by_site(selection, found.get("pm_compliance"))
    _misses(selection)


def finding(selection: Selection, reading: Reading | None) -> str:
    """Return the share on time and how it stands to its target."""
    if reading is None or reading.value is None:
        return f"No PM compliance in {selection.place}: {reading.missing_words if reading else 'no row'}"
    target = reading.row["target"]
    words = f"{reading.text} of the PMs due in {selection.place} were done on time"
    if not target:
        return words
    if reading.text == share(target, reading.row["denominator"]):
        return f"{words}, as targeted"
    if reading.value >= target:
        return f"{words}, above the target of {share(target)}"
    return f"{words}, {change(reading.value, target, 'share')} under target"


def _cohorts(selection: Selection) -> None:
    shown = {period.start: series.axis_label(selection, period.start) for period in selection.shown}
    rows = data.pm_cohorts(selection.version, selection.site_ids, selection.grain).filter(pl.col("period_start_on").is_in(list(shown)))
    if rows.is_empty():
        panels.empty(f"No PM was due in {selection.place} in the {len(shown)} {selection.grain}s up to {selection.span}.")
        return
    ranks = {name: rank for rank, name in enumerate(OUTCOMES)}
    rows = rows.with_columns(
        pl.col("period_start_on").replace_strict(shown).alias("label"),
        pl.col("outcome").replace_strict(ranks, default=9).alias("rank"),
        pl.col("outcome").replace(OUTCOMES),
    ).sort("period_start_on", "rank")
    values = {row["period_start_on"]: row for row in readings.of(selection, "pm_compliance").iter_rows(named=True)}
    totals = dict(rows.group_by("period_start_on").agg(pl.col("orders").sum()).iter_rows())
    words = [quantity(values[start]["value"], "share") if start in values and values[start]["value"] is not None else "" for start in shown]
    chosen = list(shown).index(selection.period.start)
    tops = pl.DataFrame(
        {
            "label": list(shown.values()),
            "total": [totals.get(start, 0) for start in shown],
            "text": words,
            "distance": [abs(position - chosen) for position in range(len(shown))],
        }
    )
    here = rows.filter(pl.col("period_start_on") == selection.period.start)
    counts = ", ".join(f"{row['orders']:,} {row['outcome'].lower()}" for row in here.iter_rows(named=True))
    title = f"Of the PMs due in {selection.span}: {counts}" if counts else f"No PM was due in {selection.span}"
    remark = f"Preventive orders by the {selection.grain} of their original due date, the share on time above; skipped ones count as missed"
    table = rows.select("period_start_on", "outcome", "orders")
    panels.figure(title, charts.cohorts(rows, tops), table, "pm_cohorts", remark=remark)


def _trend(selection: Selection, found: dict[str, Reading]) -> None:
    reading = found.get("pm_compliance")
    points = series.over_time(selection, "pm_compliance", "vendor_on_time_share")
    if reading is None or points["value"].drop_nulls().is_empty():
        panels.empty(panels.nothing(selection, "No PM was due"))
        return
    vendor = found.get("vendor_on_time_share")
    title = f"{reading.sentence} in {selection.span}" if reading.value is not None else f"PM compliance has no value in {selection.span}"
    if reading.value is not None and vendor and vendor.value is not None:
        title = f"PM compliance is {reading.text}, MaintainX's report says {vendor.text}, in {selection.span}"
    chart = charts.trend(points, "share", reading.row["target"], second="MaintainX report")
    target = reading.row["target"]
    remark = (f"Dotted: target {share(target)} · " if target else "") + "pale: 95 % interval (Wilson) · hollow: so far"
    table = points.select("period_start_on", "value", "low", "high", "n", pl.col("second").alias("vendor_on_time_share"), "is_open")
    panels.figure(title, chart, table, "pm_compliance_trend", remark=remark)


def _by_site(selection: Selection, reading: Reading | None) -> None:
    rows, without = series.site_rows(selection, "pm_compliance")
    if reading is None or rows.is_empty():
        panels.empty(f"No site had a PM due in {selection.span}.")
        return
    title = f"{rows['site'][-1]} is lowest with {rows['words'][-1]}" if rows.height > 1 else f"{rows['site'][0]}: {rows['words'][0]}"
    chart = comparisons.by_site(rows, "share", reading.row["target"])
    told = "PM compliance by site: " + "; ".join(rows["text"])
    table, remark = rows.drop("words", "text", "is_shown"), without or "Pale: 95 % interval (Wilson)"
    panels.figure(title, chart, table, "pm_compliance_by_site", told=told, remark=remark)


def _lateness(selection: Selection) -> None:
    start, end = selection.shown[0].start, selection.period.end
    late = data.pm_misses(selection.version, selection.site_ids, start, end).filter(pl.col("outcome") == "late")
    if late.is_empty():
        panels.empty(f"No PM of {selection.place} was done late in the {len(selection.shown)} {selection.grain}s up to {selection.span}.")
        return
    rows = bucketed(late["days_late"])
    title = f"{rows['orders'][0]:,} of the {late.height:,} late PMs were at most a week late"
    told = title + ": " + ", ".join(f"{orders} {bucket}" for bucket, orders in rows.iter_rows())
    remark = f"Done late, due in the {len(selection.shown)} {selection.grain}s up to {selection.span}"
    panels.figure(title, comparisons.buckets(rows, palette().late), rows, "pm_days_late", told=told, remark=remark)


def bucketed(days: pl.Series) -> pl.DataFrame:
    """Return how many fall into each fixed bucket of days late: bucket, orders; a day begun counts as one."""
    lower, rows = float("-inf"), []
    for upper, name in LATENESS:
        rows.append((name, int(((days > lower) & (days <= upper)).sum())))
        lower = upper
    return pl.DataFrame(rows, schema={"bucket": pl.String, "orders": pl.Int64}, orient="row")


def _misses(selection: Selection) -> None:
    misses = data.pm_misses(selection.version, selection.site_ids, selection.period.start, selection.period.end)
    if misses.is_empty():
        panels.empty(panels.nothing(selection, "No PM was late, missed or skipped"))
        return
    panels.section(f"{plural(misses.height, 'PM')} due in {selection.span} that were late, missed or skipped")
    panels.rows(misses, "pm_misses", selection.zone)
